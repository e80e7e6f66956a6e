import { chmodSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { machineWarnings } from '../../../src/cli/config-check.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { configOf } from '../../support/config/config-of.ts';
import { runCommand } from '../../support/process/command-line.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const TOLD = 'notify: { alertmanager: { urls: ["http://127.0.0.1:9093"] } }\n';
const HEARD = 'appliances: [{ name: fac-1, logSources: [10.0.0.5] }]\nlogs: { syslog: { udp: "0.0.0.0:5514" } }\n';

const folder = folderOfEachTest();

function file(name: string, mode: number): string {
  const path = folder.at(name);
  writeFileSync(path, 'x');
  chmodSync(path, mode);
  return path;
}

async function surprises(text: string, sources: readonly string[] = []): Promise<readonly string[]> {
  const given = folder.at('given.yaml');
  writeFileSync(given, text);
  const { code, output } = await runCommand(['config', 'check', '--file-only', '-c', given], { cwd: folder.path });
  expect(code).toBe(0);
  const ofFile = [...output.matchAll(/^Warning: (.*)$/gmu)].map(([, warning = '']) => warning);
  return [...ofFile, ...(await machineWarnings(await configOf(text), sources))];
}

describe('what surprises', () => {
  test('finds none where somebody is told and the log is heard', async () => {
    expect(await surprises(TOLD + HEARD)).toEqual([]);
  });

  test('tells that nobody is told', async () => {
    expect(await surprises(HEARD)).toEqual([expect.stringContaining('No channel is configured')]);
  });

  test('tells that a network is believed where one address may be meant', async () => {
    const logs = (relays: string): string =>
      `${TOLD}appliances: [{ name: fac-1, logSources: [10.0.0.5] }]\n` +
      `logs: { syslog: { udp: "0.0.0.0:5514" }, relays: [${relays}] }\n`;

    expect(await surprises(logs('10.0.0.9/24, "fd00::9/64"'))).toEqual([
      'logs.relays contains "10.0.0.9/24", which has host bits set, so the whole network 10.0.0.0/24 is trusted as a ' +
        'relay. Write "10.0.0.9" for this address only, or "10.0.0.0/24" for the whole network.',
      'logs.relays contains "fd00::9/64", which has host bits set, so the whole network fd00::/64 is trusted as a ' +
        'relay. Write "fd00::9" for this address only, or "fd00::/64" for the whole network.',
    ]);
    expect(await surprises(logs('10.0.0.0/24, 10.0.0.9, 10.0.0.9/32, "fd00::/64"'))).toEqual([]);
    const expected = `${TOLD}${HEARD}licenseServer: { expectedAddresses: [173.243.138.5/24] }\n`;
    expect(await surprises(expected)).toEqual([
      expect.stringContaining('the whole network 173.243.138.0/24 is expected'),
    ]);
  });

  test('tells that no log is heard, or is of nobody', async () => {
    expect(await surprises(TOLD)).toEqual([expect.stringMatching(/^No log source is configured/u)]);
    const files = `${TOLD}logs: { files: [fac.log] }\n`;
    expect(await surprises(`${files}appliances: [{ name: fac-1 }]`)).toEqual([]);
    expect(await surprises(`${files}appliances: [{ name: fac-1, logSources: [fac] }, { name: fac-2 }]`)).toEqual([
      'Log lines from "fac-2" are ignored, because they cannot be attributed to it: set logSources for this appliance.',
    ]);
  });

  test('tells which secrets every user of this machine can read', async () => {
    const [open, closed, key] = [file('open', 0o644), file('closed', 0o640), file('web.key', 0o604)];
    const text =
      `mail: [{ host: a, user: u, passwordFile: ${open} }, { host: b, user: u, passwordFile: ${closed} }]\n` +
      `web: { tls: { certFile: ${open}, keyFile: ${key} } }\n`;
    expect(await surprises(TOLD + HEARD + text)).toEqual([
      `Every user on this machine can read the secrets in "${open}". To prevent this, run: chmod o= "${open}".`,
      expect.stringContaining(key),
    ]);
  });

  test.each([
    ['a DNS name', { dnsNames: ['watch.example.test'] }, 0],
    ['an address', { ipAddresses: ['10.0.0.9'] }, 0],
    ['a common name alone', {}, 1],
  ])('tells whether FortiAuthenticator accepts the certificate for syslog with %s', async (_, names, count) => {
    const [cert, key] = [file('syslog.pem', 0o644), file('syslog.key', 0o600)];
    const text = `${TOLD}${HEARD}`.replace(
      'udp: "0.0.0.0:5514"',
      `tls: { listen: "0.0.0.0:6514", certFile: ${cert}, keyFile: ${key} }`,
    );
    expect(await surprises(text)).toEqual([]);
    const identity = await createIdentity({ name: 'CN=watch.example.test', ...names });
    writeFileSync(cert, identity.pem);
    writeFileSync(key, identity.keyPem);
    expect(await surprises(text)).toEqual(
      Array.from({ length: count }, () => expect.stringMatching(/no DNS name or IP address .*8\.0\.3/u) as unknown),
    );
  });

  test('tells of the configuration itself where a URL in it is a secret', async () => {
    const source = file('ftm-watch.yaml', 0o644);
    expect(await surprises(TOLD + HEARD, [source])).toEqual([]);
    const hook = 'notify: { webhooks: [{ url: "https://hooks.example.org/T00" }] }\n';
    expect(await surprises(hook + HEARD, [source])).toEqual([expect.stringContaining(source)]);
  });
});
