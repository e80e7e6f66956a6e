import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PLAIN_POLICY, sslProfile } from '../../../src/demo/lab/firewall.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import type { Lab } from '../../../src/demo/lab/lab.ts';
import { LICENSE_HOST } from '../../../src/demo/lab/site.ts';
import { conclusionOf, evidenceOf, notReady, remedyOf } from '../../support/process/check-result.ts';
import { checkLab } from '../../support/network/lab-check.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await createLab();
  // The lab's licence server uses its own port, and a profile inspects only the ports that it lists.
  const deep = {
    ...sslProfile('deep-inspection', ''),
    https: { ports: [lab.firewall.portOf(LICENSE_HOST)], status: 'deep-inspection' },
  };
  lab.firewallApi.state.sslProfiles = { 'deep-inspection': deep };
});
afterAll(() => lab[Symbol.asyncDispose]());

beforeEach(async () => {
  const { firewallApi } = lab;
  firewallApi.setFault({ kind: 'none' });
  firewallApi.state.matches = 5;
  firewallApi.state.policies = { 5: PLAIN_POLICY };
  await lab.inspect(false);
});

function policy(fields: Readonly<Record<string, unknown>>): void {
  lab.firewallApi.state.policies = { 5: { ...PLAIN_POLICY, ...fields } };
}

describe('the firewall in front of FortiAuthenticator, while the path of this machine is clean,', () => {
  test('inspects its traffic', async () => {
    policy({ 'utm-status': 'enable', 'ssl-ssh-profile': 'deep-inspection' });
    const result = await checkLab(lab);
    expect(conclusionOf(result)).toEqual(notReady('policy-inspects-traffic'));
    expect(evidenceOf(result)).toContain(
      'Policy 5 "fac-to-internet" uses SSL profile "deep-inspection", which inspects TLS and replaces the certificate.',
    );
    expect(remedyOf(result)).toContain('SSL inspection "no-inspection"');
  });

  test('has no policy for it', async () => {
    lab.firewallApi.state.matches = 0;
    expect(conclusionOf(await checkLab(lab))).toEqual(notReady('policy-missing'));
  });

  test('refuses the token: nothing is known about its policy, and nothing else suffers', async () => {
    lab.firewallApi.setFault({ kind: 'status', status: 403 });
    const result = await checkLab(lab);
    expect(conclusionOf(result)).toMatchObject({ causes: [], states: { 'firewall-policy': 'unknown' } });
  });
});

describe('the firewall in front of FortiAuthenticator, while TLS is inspected,', () => {
  const OWN = 'FGVMEV0000000001';

  beforeEach(() => lab.firewall.setMode({ kind: 'inspect' }));
  afterEach(async () => {
    lab.firewallApi.state.serial = OWN;
    await lab.firewall.setMode({ kind: 'off' });
  });

  test('inspects nothing, and the issuer is another unit: it is looked for behind it', async () => {
    lab.firewallApi.state.serial = 'FG100FTK20099999';
    const { causes, ...result } = await checkLab(lab);
    expect(conclusionOf({ causes, ...result })).toMatchObject({ causes: ['critical tls-intercepted'] });
    expect(causes[0]?.summary).toMatch(/ FGVMEV0000000001 is not FortiGate /u);
    const [first, ...steps] = causes[0]?.remedy ?? [];
    expect(first).toMatch(/^Do not change FortiGate .*, because policy 5 "fac-to-internet" matches/u);
    expect(steps.join('\n')).toContain(`Look for ${OWN} behind FortiGate `);
    expect(causes[0]?.remedySteps.flatMap(({ commands }) => commands ?? []).join('\n')).not.toContain(
      'config firewall',
    );
  });

  test.each<readonly [string, () => void]>([
    ['inspects nothing for FortiAuthenticator, but is the issuer itself', () => undefined],
    [
      'inspects, and so may another one',
      () => {
        lab.firewallApi.state.serial = 'FG100FTK20099999';
        policy({ 'utm-status': 'enable', 'ssl-ssh-profile': 'deep-inspection' });
      },
    ],
    [
      'refuses the token',
      () => {
        lab.firewallApi.state.serial = 'FG100FTK20099999';
        lab.firewallApi.setFault({ kind: 'status', status: 403 });
      },
    ],
  ])('%s: its policy is what has to be changed', async (_, prepare) => {
    prepare();
    const { causes } = await checkLab(lab);
    const cause = causes.find(({ id }) => id === 'tls-intercepted');
    expect(cause?.summary).toContain('is intercepted by Fortinet FortiGate');
    expect(cause?.remedySteps.flatMap(({ commands }) => commands ?? []).join('\n')).toContain('config firewall policy');
  });
});

describe('the firewall in front of FortiAuthenticator, while the port of the licence server is shut,', () => {
  const ABOVE = ['tls-genuine', 'license-server'] as const;

  beforeEach(() => lab.firewall.setMode({ kind: 'refuse' }, LICENSE_HOST));
  afterEach(() => lab.firewall.setMode({ kind: 'off' }));

  test('denies it: proven, and one cause', async () => {
    lab.firewallApi.state.matches = 0;
    const result = await checkLab(lab);
    expect(conclusionOf(result)).toEqual(notReady('egress-blocked', ...ABOVE, 'firewall-policy'));
    expect(result.causes[0]?.confidence).toBe('confirmed');
    expect(evidenceOf(result)).toContain('No policy allows the connection');
  });

  test('accepts it: the server is suspected', async () => {
    const result = await checkLab(lab);
    expect(conclusionOf(result)).toEqual({
      ...notReady('egress-blocked', ...ABOVE),
      causes: ['critical license-server-down'],
    });
    expect(result.causes).toMatchObject([{ confidence: 'suspected', precondition: 'reachability' }]);
  });

  test('cannot be asked: both are left', async () => {
    lab.firewallApi.setFault({ kind: 'status', status: 503 });
    const result = await checkLab(lab);
    expect(result.causes).toMatchObject([{ id: 'egress-blocked', confidence: 'suspected' }]);
  });
});

test('a path that is inspected for this machine too is one cause, with the policy as its evidence', async () => {
  await lab.inspect(true);
  const result = await checkLab(lab);
  expect(conclusionOf(result)).toMatchObject({
    exitCode: 2,
    causes: ['critical tls-intercepted'],
    states: { 'tls-genuine': 'broken', 'firewall-policy': 'blocked' },
  });
  expect(evidenceOf(result)).toContain('uses SSL profile "deep-inspection"');
});
