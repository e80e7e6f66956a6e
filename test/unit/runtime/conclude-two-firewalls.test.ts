import { describe, expect, test } from 'vitest';
import type { FirewallObservation } from '../../../src/core/firewall.ts';
import type { Diagnosis } from '../../../src/engine/model.ts';
import { AT, concluded } from '../../support/checks/concluded.ts';
import { FLOW, matched, NO_INSPECTION } from '../../support/checks/firewall-match.ts';
import { configOf } from '../../support/config/config-of.ts';
import type { Shown } from '../../support/checks/facts.ts';
import { finding, TARGET } from '../../support/checks/judged-round.ts';
import { pollingError } from '../../support/checks/polling-error.ts';

const UNITS = `logs: { syslog: { udp: "127.0.0.1:5514" } }
appliances: [{ name: fac-1, logSources: [10.0.0.5] }, { name: fac-2, logSources: [10.1.0.5] }]
`;
const ENTRY_1 = '{ url: "https://10.0.0.1", source: 10.0.0.5, appliances: [fac-1], tokenEnv: SET_SECRET }';
const ENTRY_2 = '{ url: "https://10.1.0.1", source: 10.1.0.5, appliances: [fac-2], vdom: dmz, tokenEnv: SET_SECRET }';

const [FIRST_FLOW, SECOND_FLOW] = [
  { appliances: ['fac-1'], source: '10.0.0.5' },
  {
    firewall: 'FortiGate 10.1.0.1 (VDOM dmz)',
    firewallHost: '10.1.0.1',
    vdom: 'dmz',
    appliances: ['fac-2'],
    source: '10.1.0.5',
  },
] as const;
const OUT = { id: 7, name: 'fac-2-out' };
const FIRST = matched(OUT, NO_INSPECTION, FIRST_FLOW);
const FIRST_DENIES: FirewallObservation = {
  ...FIRST,
  match: { kind: 'implicit-deny', incoming: null, outgoing: null },
};
const OTHER = matched(OUT, NO_INSPECTION, SECOND_FLOW);
const OTHER_DENIED: FirewallObservation = { ...FLOW, ...SECOND_FLOW, kind: 'denied', status: 403 };

/** Returns the diagnosis when these units log a failed TLS session. */
async function told(
  entries: readonly string[],
  firewall: readonly FirewallObservation[],
  complaining: readonly string[] = ['fac-2'],
  shows: Shown = {},
): Promise<Diagnosis> {
  const config = await configOf(`${UNITS}firewall: [${entries.join(', ')}]\n`);
  const errors = [pollingError(AT, 'FTM polling error: SSL session failed')];
  return concluded({
    config,
    errors: Object.fromEntries(complaining.map((name) => [name, errors])),
    shows,
    seen: { firewall },
  }).diagnosis;
}

describe('the second of two units complains', () => {
  test('and the remedy names it, its FortiGate and the policy that was looked up for it', async () => {
    const { causes } = await told([ENTRY_1, ENTRY_2], [FIRST, OTHER]);
    expect(causes.map(({ id, subject }) => [id, subject])).toEqual([['polling-failing', 'fac-2']]);
    expect(causes[0]?.summary).toMatch(/FortiGate 10\.1\.0\.1 \(VDOM dmz\).*policy 7 "fac-2-out".*10\.1\.0\.5/u);
    const remedy = causes[0]?.remedy.join('\n') ?? '';
    expect(remedy).toContain(
      'On FortiGate 10.1.0.1 (VDOM dmz), check policy 7 "fac-2-out", which matches fac-2 (10.1.0.5)',
    );
    expect(remedy).not.toMatch(/10\.0\.0\.|configure "firewall"/u);
  });

  test('also while a part of the path is unclear', async () => {
    const unclear = finding(null, { level: 'unknown' });
    const { causes } = await told([ENTRY_1, ENTRY_2], [FIRST, OTHER], ['fac-2'], { tls: [unclear] });
    const remedy = causes.find(({ id }) => id === 'polling-failing')?.remedy.join('\n') ?? '';
    expect(remedy).toContain('These may be the same fault. First check');
    expect(remedy).toContain('On FortiGate 10.1.0.1 (VDOM dmz), check policy 7');
    expect(remedy).not.toContain('configure "firewall"');
  });

  test.each([
    ['does not accept the token', [FIRST, OTHER_DENIED]],
    ['was not asked yet', []],
  ])('and its FortiGate %s', async (_, observed) => {
    const { causes } = await told([ENTRY_1, ENTRY_2], observed);
    const remedy = causes.find(({ id }) => id === 'polling-failing')?.remedy.join('\n') ?? '';
    expect(remedy).toContain('FortiGate 10.1.0.1 (VDOM dmz) did not report which policy matches fac-2 (10.1.0.5)');
    expect(remedy).not.toContain('configure "firewall"');
  });

  test('and only the first has a FortiGate that is configured', async () => {
    const { causes } = await told([ENTRY_1], [FIRST]);
    expect(causes[0]?.remedy.join('\n')).toContain('To check the path from fac-2 itself, configure "firewall"');
  });

  test('and is not explained by the policy of the first', async () => {
    const { causes } = await told([ENTRY_1, ENTRY_2], [FIRST_DENIES, OTHER]);
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
  const { causes } = await told([ENTRY_1, ENTRY_2], [FIRST_DENIES, OTHER], ['fac-1']);
  expect(causes.map(({ id }) => id)).toEqual(['policy-missing']);
});

test.each([
  [[ENTRY_1], ' 10.0.0.5 to '],
  [[ENTRY_1, ENTRY_2], ' 10.0.0.5, 10.1.0.5 to '],
])('where units have separate addresses, all are named', async (entries, expected) => {
  const intercepted = finding('tls-intercepted');
  const { causes } = await told(entries, [], [], { tls: [intercepted] });
  expect(causes.find(({ id }) => id === 'tls-intercepted')?.remedy.join('\n')).toContain(expected);
});
