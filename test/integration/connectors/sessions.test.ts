import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeFirewallPolicy } from '../../../src/checks/firewall-policy/judge.ts';
import type { FirewallObservation } from '../../../src/core/license/firewall.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { type FirewallState, SESSIONS_PATH } from '../../lab/firewall.ts';
import { createFirewallBench, type FirewallBench } from '../../support/connectors/firewall-bench.ts';

let bench: FirewallBench;

beforeAll(async () => {
  bench = await createFirewallBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

/** A session as parsed by public clients (FortiPower/PowerFGT, hermanwjacobsen/hfortix-fortios). */
const ANSWERED = {
  proto: 'tcp',
  saddr: '10.0.0.5',
  sport: 50_412,
  daddr: '173.243.138.84',
  dport: 443,
  policyid: 5,
  sentbyte: 1893,
  rcvdbyte: 5210,
  duration: 12,
  expiry: 3588,
};
const SILENT = { ...ANSWERED, sport: 50_413, sentbyte: 180, rcvdbyte: 0 };

async function notesOf(state: Partial<FirewallState>): Promise<readonly string[]> {
  await using firewall = await bench.start(state);
  return notesIn(await bench.observe(firewall));
}

function notesIn(observation: FirewallObservation): readonly string[] {
  const findings = judgeFirewallPolicy([observation], []);
  expect(findings.every(({ level }) => level === 'note')).toBe(true);
  return findings.map(({ claim }) => claim);
}

describe.each(['sessions', 'session'] as const)('the table "%s" of a FortiGate', (sessionTable) => {
  it.each<[string, FirewallState['sessions'], readonly string[]]>([
    ['that is empty', [], []],
    ['with answered sessions', [ANSWERED, ANSWERED], ['All open sessions from 10.0.0.5 are answered (2).']],
    ['with sessions that get no answer', [SILENT], ['1 of 1 open sessions from 10.0.0.5 are not answered.']],
    ['with both', [ANSWERED, SILENT], ['1 of 2 open sessions from 10.0.0.5 are not answered.']],
    ['with one that has just begun', [{ ...SILENT, duration: 1 }], []],
    [
      'with numbers as texts',
      [{ ...ANSWERED, proto: 6, dport: '443', rcvdbyte: '5210', duration: '12' }],
      ['All open sessions from 10.0.0.5 are answered (1).'],
    ],
    ['that the token may not read', null, ['The API token is not permitted to read the sessions of the firewall.']],
  ])('%s', async (_, sessions, expected) => {
    expect(await notesOf({ sessionTable, sessions })).toEqual(expected);
  });

  it('that does not filter counts sessions of this flow alone', async () => {
    const others = [{ saddr: '10.0.0.6' }, { daddr: '192.0.2.1' }, { dport: 8443 }, { proto: 'udp' }].map((other) => ({
      ...SILENT,
      ...other,
    }));
    const sessions = [...others, ANSWERED];
    expect(await notesOf({ sessionTable, sessions, filtersSessions: false })).toEqual([
      'All open sessions from 10.0.0.5 are answered (1).',
    ]);
  });
});

it.each([
  ['no table at all', { kind: 'status', status: 404 }],
  ['an answer of another shape', { kind: 'body', body: '{"results":[]}' }],
  ['no JSON', { kind: 'body', body: 'no JSON' }],
] as const)('says nothing of sessions where there is %s', async (_, fault) => {
  await using firewall = await bench.start({ sessions: [SILENT] });
  firewall.setFault(fault, SESSIONS_PATH);
  const seen = await bench.observe(firewall);
  expect(seen).toMatchObject({ kind: 'ok', match: { kind: 'policy' } });
  expect(notesIn(seen)).toEqual([]);
});

it('asks the firewall for this flow alone, and not at all where no policy lets it pass', async () => {
  await using firewall = await bench.start({ sessions: [ANSWERED] });
  await bench.observe(firewall);
  const asked = firewall.requests.flatMap(({ path }) => (path.startsWith(SESSIONS_PATH) ? [path] : []));
  expect(asked).toHaveLength(1);
  const query = new URL(asked[0] ?? '', firewall.url).searchParams;
  expect(Object.fromEntries(query)).toMatchObject({
    srcaddr: '10.0.0.5',
    dstport: '443',
    policyid: '5',
    protocol: 'tcp',
    ip_version: 'ipv4',
  });
  firewall.state.matches = 0;
  await bench.observe(firewall);
  expect(firewall.requests.filter(({ path }) => path.startsWith(SESSIONS_PATH))).toHaveLength(1);
});

it.each([
  [240_000, 1],
  [300_000, 2],
  [-60_000, 2],
])('lets what was told stand for five minutes: %i ms later it has asked %i times', async (later, times) => {
  await using firewall = await bench.start({ sessions: [ANSWERED] });
  const first = await bench.observe(firewall);
  if (first.kind !== 'ok' || first.sessions === null) throw new Error('expected sessions');
  const last = { ...first.sessions, at: systemClock.now() - later };
  const again = await bench.observe(firewall, {}, {}, last);
  expect(firewall.requests.filter(({ path }) => path.startsWith(SESSIONS_PATH))).toHaveLength(times);
  expect(notesIn(again)).toEqual(notesIn(first));
});
