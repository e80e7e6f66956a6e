import { test } from 'vitest';
import { delivery, judgeCarrier } from '../../src/checks/delivery/judge.ts';
import { internet } from '../../src/checks/internet/judge.ts';
import { CHECKS, checksOf } from '../../src/checks/registry.ts';
import type { Picture } from '../../src/connectors/picture.ts';
import type { ApplianceObservation } from '../../src/core/license/appliance.ts';
import type { DnsReply, FailureReason } from '../../src/core/observation.ts';
import type { PeerObservation, RoundObservations } from '../../src/core/round.ts';
import type { Finding } from '../../src/engine/model.ts';
import { applianceFacts } from '../support/checks/appliance-facts.ts';
import { factsOf, roundFacts, type Shown, shown } from '../support/checks/facts.ts';
import { CONTEXT, finding, TARGET } from '../support/checks/judged-round.ts';
import { endpoint, failed, open, path, picture, round } from '../support/checks/observed.ts';
import { intermittentFinding, RESET } from '../support/checks/sampled.ts';
import { configOf } from '../support/config/config-of.ts';
import { findingText } from './finding-text.ts';
import { expectRecorded } from './recorded.ts';

const [A, B] = ['192.0.2.1', '192.0.2.2'];
const config = await configOf('appliances: [{ name: fac-1 }]');

const FAULTS = {
  blocked: RESET,
  'the port': { ...RESET, stage: 'reachability', cause: 'egress-blocked' },
  intercepted: { ...RESET, cause: 'tls-intercepted', product: 'Squid' },
  certificate: { ...RESET, cause: 'certificate-broken' },
} as const;
const BURSTS = {
  'a few': { [A]: '.xxxxxx.............' },
  many: { [A]: '.xxxxxxxxxxxx.......' },
  'one of two addresses': { [A]: '.xxxxxxxxx', [B]: '..........' },
  'both addresses': { [A]: '.xxxxxx...', [B]: '.xxxxx....' },
} as const;
const INTERMITTENT = Object.entries(FAULTS).flatMap(([fault, of]) =>
  Object.entries(BURSTS).map(
    ([name, burst]) => [`intermittent: ${fault}, ${name}`, [intermittentFinding(burst, of)]] as const,
  ),
);

const silent = (reason: FailureReason): DnsReply => ({ ...failed('timeout'), reason, attempts: 1 });
const named = (reason: FailureReason) => ({
  resolver: 'udp://10.0.0.53:53',
  name: 'server.test',
  a: silent(reason),
  aaaa: silent(reason),
});
const SILENT = path({ endpoints: [endpoint(B, failed('timeout'))] });
const REFUSING = path({ endpoints: [endpoint(B, failed('refused'))] });
const UNROUTED = path({ endpoints: [{ ...endpoint('2001:db8::2', failed('no-route')), family: 6 }] });
const PROXIED = path({ endpoints: [{ ...endpoint('server.test', failed('timeout')), proxy: '192.0.2.9:3128' }] });
const ROUNDS: Readonly<Record<string, Partial<Parameters<typeof round>[0]>>> = {
  'control hosts answer': { controls: [path({ endpoints: [endpoint(A, open())] })] },
  'only the server answers': { licenseServer: path({ endpoints: [endpoint(A, open())] }), controls: [SILENT] },
  refused: { controls: [REFUSING] },
  'refused by the server alone': { licenseServer: REFUSING },
  'a silent control host': { licenseServer: SILENT, controls: [{ ...SILENT, subject: 'control.test:443' }] },
  'nothing answers': { licenseServer: SILENT, controls: [SILENT] },
  'one attempt': { licenseServer: SILENT },
  'no route': { licenseServer: UNROUTED, controls: [UNROUTED] },
  'nothing could be tried': {
    controls: [path({ endpoints: [endpoint(A, failed('internal', 'bind EADDRNOTAVAIL'))] })],
  },
  'a proxy alone': { licenseServer: PROXIED, controls: [PROXIED] },
  'no name': { licenseServer: path({ names: [named('timeout')] }), controls: [path()] },
  'no way to DNS': { licenseServer: path({ names: [named('no-route')] }), controls: [path()] },
  'no attempt': {},
};

function judgeInternet(seen: RoundObservations, answered: readonly string[]): readonly Finding[] {
  const judged = internet.judge(factsOf({ round: roundFacts({ observations: seen, answered: new Set(answered) }) }));
  const summary = finding(null, { level: 'note', claim: judged.summary, expected: '', actual: '' });
  return [...judged.findings, summary];
}

const INTERNET = Object.entries(ROUNDS).flatMap(([name, seen]) => [
  [`internet: ${name}`, judgeInternet(round(seen), ['server.test:443', 'control.test:443'])] as const,
  [`internet: ${name}, only the server before`, judgeInternet(round(seen), ['server.test:443'])] as const,
  [`internet: ${name}, nobody before`, judgeInternet(round(seen), [])] as const,
]);

function peer(states: Readonly<Record<string, string>>): PeerObservation {
  const preconditions = CHECKS.map(({ id }) => {
    const state = states[id] ?? 'ok';
    return { id, state, isHearsay: false, seesNoFault: state === 'ok' };
  });
  const { precondition } = { precondition: 'tls-genuine' } as const;
  const cause = { id: 'tls-intercepted', confidence: 'confirmed', severity: 'critical', subject: TARGET } as const;
  const causes =
    states['tls-genuine'] === 'broken'
      ? [{ ...cause, precondition, product: null, summary: 'It is intercepted.' }]
      : [];
  return { kind: 'seen', peer: 'dmz', at: CONTEXT.at, preconditions, causes };
}

const INTERCEPTED: Shown = { tls: [finding('tls-intercepted')] };
const PEERS: Readonly<Record<string, readonly [PeerObservation, Shown]>> = {
  'a fault here alone': [peer({}), INTERCEPTED],
  'the same fault': [peer({ 'tls-genuine': 'broken' }), INTERCEPTED],
  'a fault there alone': [peer({ 'tls-genuine': 'broken' }), {}],
  'a fault there, unjudged here': [peer({ 'tls-genuine': 'broken' }), { tls: null }],
  'no answer': [{ ...failed('timeout'), peer: 'dmz' }, INTERCEPTED],
};
const SEEN_BY_PEERS = Object.entries(PEERS).map(([name, [observation, own]]) => {
  const facts = factsOf({ round: shown(own), picture: picture({ peers: [observation] }) });
  return [`peers: ${name}`, CHECKS.flatMap((check) => check.judge(facts).findings)] as const;
});

const AT = 'carrier.test:443';
const FOUND = {
  closed: { reachability: [finding('egress-blocked', { subject: AT })] },
  inspected: { 'tls-genuine': [finding('tls-intercepted', { subject: AT })] },
  'of another authority': {
    'tls-genuine': [finding('tls-interception-suspected', { subject: AT, confidence: 'suspected' })],
  },
  'not seen': { 'tls-genuine': [finding(null, { subject: AT, level: 'unknown' })] },
  well: {},
} as const;
const CARRIED = (['push', 'sms', 'fortigate', 'cloud', 'answers'] as const).flatMap((carries) =>
  Object.entries(FOUND).map(([name, found]) => {
    const one = { carries, host: 'carrier.test', port: 443, severity: 'warning' } as const;
    return [`delivery: ${carries}, ${name}`, judgeCarrier(one, found)] as const;
  }),
);
const SMS = [0, 5, 50].map((available) => {
  const sms = { kind: 'read', value: { total: 100, available } } as const;
  const units = config.appliances.map((unit) => ({ config: unit, rest: applianceFacts({ sms }), role: null }));
  const judged = delivery.judge(factsOf({ picture: picture({ appliances: units }) }));
  return [`delivery: ${String(available)} SMS left`, judged.findings] as const;
});

const { appliances: certified } = await configOf('appliances: [{ name: fac-1, licenses: [EFTM000000000001] }]');
const PICTURES = {
  'nothing is configured': picture({}),
  'nothing was read': picture({ appliances: units(certified, null) }),
  'no answer': picture({ appliances: units(certified, { ...applianceFacts(), ...failed('timeout') }) }),
  'all is read': picture({ appliances: units(certified, applianceFacts()) }),
} as const;

function units(configured: typeof config.appliances, rest: ApplianceObservation | null): Picture['appliances'] {
  return configured.map((unit) => ({ config: unit, rest, role: null }));
}

const OF_UNITS = CHECKS.filter(({ id }) => checksOf('appliances', 'registration', 'firewall').includes(id));

/** What a check says where it has no finding. */
const SUMMARIES = Object.entries(PICTURES).flatMap(([name, seen]) =>
  OF_UNITS.map((check) => {
    const { kind, summary } = check.judge(factsOf({ config, picture: seen }));
    return [`${check.id}: ${name}`, `${kind}: ${summary}`] as const;
  }),
);

test('the claims about a whole round', async () => {
  const told = [...INTERMITTENT, ...INTERNET, ...SEEN_BY_PEERS, ...CARRIED, ...SMS].map(
    ([name, findings]) => [name, findings.map(findingText).join('\n')] as const,
  );
  await expectRecorded('rounds', Object.fromEntries([...told, ...SUMMARIES]));
});
