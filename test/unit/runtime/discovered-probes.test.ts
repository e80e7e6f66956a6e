import { expect, test } from 'vitest';
import { discoveredProbes } from '../../../src/runtime/web-sources.ts';
import { chooseProbe } from '../../../src/runtime/probe-on-demand.ts';
import { configOf } from '../../support/config/config-of.ts';

test('everything that is discovered may be probed, and everything that is configured is discovered', async () => {
  const config = await configOf(
    'services: [{ name: push, host: push.test, port: 5223 }]\n' +
      'controlHosts: ["control.test:443"]\n' +
      'resolvers: [system, "udp://[2001:db8::53]:53"]\n' +
      'mail: [{ host: mail.test, port: 587 }]\n' +
      'web: { probeTargets: ["[2001:db8::1]:22"] }\n',
  );
  const discovered = discoveredProbes(config);
  expect(discovered.map(({ module, target }) => `${module} ${target}`)).toEqual([
    'http fortitokenmobile.fortinet.com:443',
    'http push.test:5223',
    'tcp control.test:443',
    'tcp [2001:db8::1]:22',
    'dns system',
    'dns udp://[2001:db8::53]:53',
    'smtp mail.test:587',
  ]);
  for (const { module, target } of discovered)
    expect([target, chooseProbe(config, target, module).kind]).toEqual([
      target,
      module === 'dns' ? 'name' : module === 'smtp' ? 'mail' : 'path',
    ]);
});
