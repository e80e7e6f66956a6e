import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PLAIN_POLICY, sslProfile } from '../../../src/demo/lab/firewall.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { LICENSE_HOST } from '../../../src/demo/lab/site.ts';
import { type Conclusion, conclusionOf, evidenceOf, notReady } from '../../support/process/check-result.ts';
import { checkLab } from '../../support/network/lab-check.ts';

const lab = await createLab();

beforeAll(async () => {
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
  const REFUSED = notReady('egress-blocked', 'tls-genuine', 'license-server');

  beforeEach(() => lab.firewall.setMode({ kind: 'refuse' }, LICENSE_HOST));
  afterEach(() => lab.firewall.setMode({ kind: 'off' }));

  test.each<readonly [string, () => void, Conclusion, string]>([
    [
      'denies it: proven, and one cause',
      () => {
        lab.firewallApi.state.matches = 0;
      },
      notReady('egress-blocked', 'tls-genuine', 'license-server', 'firewall-policy'),
      'confirmed',
    ],
    [
      'accepts it: the server is suspected',
      () => undefined,
      { ...REFUSED, causes: ['critical license-server-down'] },
      'suspected',
    ],
  ])('%s', async (_, prepare, expected, confidence) => {
    prepare();
    const result = await checkLab(lab);
    expect(conclusionOf(result)).toEqual(expected);
    expect(result.causes).toMatchObject([{ confidence, precondition: 'reachability' }]);
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
