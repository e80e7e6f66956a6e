import { describe, expect, test } from 'vitest';
import type { FirewallObservation, PolicyMatch } from '../../../src/core/license/firewall.ts';
import type { Diagnosis } from '../../../src/engine/model.ts';
import { AT, concluded } from '../../support/checks/concluded.ts';
import { configOf } from '../../support/config/config-of.ts';
import { finding, type Special, TARGET } from '../../support/checks/judged-round.ts';
import { pollingError } from '../../support/checks/polling-error.ts';

const UNITS = `logs: { syslog: { udp: "127.0.0.1:5514" } }
appliances: [{ name: fac-1, logSources: [10.0.0.5] }, { name: fac-2, logSources: [10.1.0.5] }]
`;
const ENTRY_1 = '{ url: "https://10.0.0.1", source: 10.0.0.5, appliances: [fac-1], tokenEnv: SET_SECRET }';
const ENTRY_2 = '{ url: "https://10.1.0.1", source: 10.1.0.5, appliances: [fac-2], vdom: dmz, tokenEnv: SET_SECRET }';

const PASSES: PolicyMatch = {
  kind: 'policy',
  policy: {
    id: 7,
    name: 'fac-2-out',
    action: 'accept',
    proxyMode: false,
    securityProfiles: [],
    incoming: [],
    outgoing: [],
    nat: { enabled: true, pools: [] },
    schedule: 'always',
  },
  inspection: { kind: 'known', profile: null, mode: 'none', exemptedBy: null, unreadExemptions: [] },
};
const DENIES: PolicyMatch = { kind: 'implicit-deny', incoming: null, outgoing: null };

const FLOWS = [
  { firewall: 'FortiGate 10.0.0.1', firewallHost: '10.0.0.1', vdom: 'root', appliances: ['fac-1'], source: '10.0.0.5' },
  {
    firewall: 'FortiGate 10.1.0.1 (VDOM dmz)',
    firewallHost: '10.1.0.1',
    vdom: 'dmz',
    appliances: ['fac-2'],
    source: '10.1.0.5',
  },
].map((flow) => ({ ...flow, destination: TARGET }));

function looked(index: 0 | 1, match: PolicyMatch | 'denied'): FirewallObservation {
  const [first, second] = FLOWS;
  const flow = index === 0 ? first : second;
  if (flow === undefined) throw new Error('never');
  return match === 'denied'
    ? { kind: 'denied', ...flow, status: 403 }
    : { kind: 'ok', ...flow, match, fqdnObjects: [], serial: null };
}
const first = (match: PolicyMatch): FirewallObservation => looked(0, match);
const SECOND = looked(1, PASSES);
const SECOND_DENIED = looked(1, 'denied');

/** Returns the diagnosis when these units log a failed TLS session. */
async function told(
  entries: readonly string[],
  firewall: readonly FirewallObservation[],
  complaining: readonly string[] = ['fac-2'],
  special: readonly Special[] = [],
): Promise<Diagnosis> {
  const config = await configOf(`${UNITS}firewall: [${entries.join(', ')}]\n`);
  const errors = [pollingError(AT, 'FTM polling error: SSL session failed')];
  return concluded({
    config,
    errors: Object.fromEntries(complaining.map((name) => [name, errors])),
    found: special,
    seen: { firewall },
  }).diagnosis;
}

describe('the second of two units complains', () => {
  test('and the remedy names it, its FortiGate and the policy that was looked up for it', async () => {
    const { causes } = await told([ENTRY_1, ENTRY_2], [first(PASSES), SECOND]);
    expect(causes.map(({ id, subject }) => [id, subject])).toEqual([['polling-failing', 'fac-2']]);
    expect(causes[0]?.summary).toBe(
      'fac-2: FTM polling error: SSL session failed. No fault on the path from this machine explains this. On ' +
        'FortiGate 10.1.0.1 (VDOM dmz), policy 7 "fac-2-out" matches 10.1.0.5.',
    );
    const remedy = causes[0]?.remedy.join('\n') ?? '';
    expect(remedy).toContain(
      'On FortiGate 10.1.0.1 (VDOM dmz), check policy 7 "fac-2-out", which matches fac-2 (10.1.0.5)',
    );
    expect(remedy).not.toMatch(/10\.0\.0\.|configure "firewall"/u);
  });

  test('also while a part of the path is unclear', async () => {
    const unclear = finding(null, { level: 'unknown' });
    const { causes } = await told([ENTRY_1, ENTRY_2], [first(PASSES), SECOND], ['fac-2'], [['tls-genuine', [unclear]]]);
    const remedy = causes.find(({ id }) => id === 'polling-failing')?.remedy.join('\n') ?? '';
    expect(remedy).toContain('These may be the same fault. First check');
    expect(remedy).toContain('On FortiGate 10.1.0.1 (VDOM dmz), check policy 7');
    expect(remedy).not.toContain('configure "firewall"');
  });

  test.each([
    ['does not accept the token', [first(PASSES), SECOND_DENIED]],
    ['was not asked yet', []],
  ])('and its FortiGate %s', async (_, observed) => {
    const { causes } = await told([ENTRY_1, ENTRY_2], observed);
    const remedy = causes.find(({ id }) => id === 'polling-failing')?.remedy.join('\n') ?? '';
    expect(remedy).toContain('FortiGate 10.1.0.1 (VDOM dmz) did not report which policy matches fac-2 (10.1.0.5)');
    expect(remedy).not.toContain('configure "firewall"');
  });

  test('and only the first has a FortiGate that is configured', async () => {
    const { causes } = await told([ENTRY_1], [first(PASSES)]);
    expect(causes[0]?.remedy.join('\n')).toContain('To check the path from fac-2 itself, configure "firewall"');
  });

  test('and is not explained by the policy of the first', async () => {
    const { causes } = await told([ENTRY_1, ENTRY_2], [first(DENIES), SECOND]);
    expect(causes.map(({ id, subject }) => [id, subject])).toEqual([
      ['policy-missing', `10.0.0.5 to ${TARGET}`],
      ['polling-failing', 'fac-2'],
    ]);
    expect(causes[0]?.summary).toContain(
      'The traffic from 10.0.0.5 to fortitokenmobile.fortinet.com, TCP 443, is blocked by FortiGate 10.0.0.1',
    );
  });
});

test('the first of two units is explained by the policy of its own FortiGate', async () => {
  const { causes } = await told([ENTRY_1, ENTRY_2], [first(DENIES), SECOND], ['fac-1']);
  expect(causes.map(({ id }) => id)).toEqual(['policy-missing']);
});

test.each([
  [[ENTRY_1], 'traffic of FortiAuthenticator (10.0.0.5)'],
  [[ENTRY_1, ENTRY_2], 'traffic of FortiAuthenticator (10.0.0.5, 10.1.0.5)'],
])('where units have separate addresses, all are named', async (entries, expected) => {
  const intercepted = finding('tls-intercepted');
  const { causes } = await told(entries, [], [], [['tls-genuine', [intercepted]]]);
  expect(causes.find(({ id }) => id === 'tls-intercepted')?.remedy.join('\n')).toContain(expected);
});
