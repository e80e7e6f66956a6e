import { describe, expect, test } from 'vitest';
import type { ControlHosts } from '../../../src/checks/check.ts';
import { nameResolution } from '../../../src/checks/name-resolution/judge.ts';
import { reachability } from '../../../src/checks/reachability/judge.ts';
import type { DnsObservation, TcpOutcome } from '../../../src/core/observation.ts';
import type { OutsideAnswer, OutsideReach, OutsideView } from '../../../src/core/outside.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { configOf } from '../../support/config/config-of.ts';
import { factsOf, roundFacts, targetFacts } from '../../support/checks/facts.ts';
import { endpoint, failed, path } from '../../support/checks/observed.ts';
import { DAY } from '../../support/time/units.ts';

const NOW = Date.UTC(2026, 10, 24, 13);
const NOBODY: OutsideView = {
  certificate: null,
  reach: null,
  addresses: null,
  reachedAt: null,
  asking: [],
  trouble: null,
};

const probeIn = (asn: number) => ({ asn, network: `Network ${String(asn)}`, country: asn % 2 === 0 ? 'DE' : 'US' });

/** @param networks the number of each probe's network, negative if the probe does not reach the server */
function reach(networks: readonly number[], more: Partial<OutsideView> = {}): OutsideView {
  const results = networks.map((asn): OutsideReach => ({ ...probeIn(Math.abs(asn)), reached: asn > 0 }));
  return { ...NOBODY, reach: { at: NOW, results, answer: null }, ...more };
}

const PROVEN = { reachedAt: NOW - DAY };

const WORKING: ControlHosts = { accepting: 2, refusing: 0, tried: 2 };
const SILENT: ControlHosts = { accepting: 0, refusing: 0, tried: 2 };
const REFUSING: ControlHosts = { accepting: 0, refusing: 1, tried: 1 };

function judgeReach(
  outside: OutsideView | null,
  { tcp = failed('timeout'), controlHosts = WORKING }: { tcp?: TcpOutcome; controlHosts?: ControlHosts } = {},
): readonly Finding[] {
  const surroundings = { controls: [], now: NOW, ...(outside === null ? {} : { outside }) };
  const target = targetFacts({ path: path({ endpoints: [endpoint('192.0.2.1', tcp)] }), controlHosts, surroundings });
  return reachability.judge(factsOf({ at: NOW, round: roundFacts({ targets: [target] }) })).findings;
}

const told = ({ suggests, kind, confidence }: Finding) => [suggests, kind, confidence].join(' ');

describe('the port, with what other networks reach', () => {
  const HERE = 'egress-blocked  suspected';
  const ELSEWHERE = 'egress-blocked reached-elsewhere suspected';
  const DOWN = 'license-server-down down-everywhere confirmed';

  test.each<readonly [string, OutsideView | null, string]>([
    ['nobody was asked', null, HERE],
    ['all reach it', reach([1, 2, 3, 4, 5]), ELSEWHERE],
    ['three reach it', reach([1, 2, 3, -4, -5]), ELSEWHERE],
    ['too few reach it', reach([1, 2, -3, -4, -5], PROVEN), HERE],
    ['none reaches it, and some did yesterday', reach([-1, -2, -3], PROVEN), DOWN],
    ['none reaches it, and none is known to have', reach([-1, -2, -3]), HERE],
    ['none reaches it, and some did two days ago', reach([-1, -2, -3], { reachedAt: NOW - 2 * DAY }), HERE],
    ['none reaches it, and some will tomorrow', reach([-1, -2, -3], { reachedAt: NOW + DAY }), HERE],
    ['none reaches it, and some did almost two days ago', reach([-1, -2, -3], { reachedAt: NOW - 2 * DAY + 1 }), DOWN],
    ['two networks reach it', reach([1, 2], PROVEN), HERE],
    ['two networks fail too', reach([-1, -2], PROVEN), HERE],
    ['many probes in two networks fail too', reach([-1, -1, -1, -2, -2], PROVEN), HERE],
    ['no probe has a result', reach([], PROVEN), HERE],
    ['nobody was asked', { ...NOBODY, trouble: 'the service is busy', ...PROVEN }, HERE],
  ])('%s', (_, outside, expected) => {
    const [finding] = judgeReach(outside);
    expect(finding === undefined ? null : told(finding)).toBe(expected);
  });

  test('counts a network once, and names the countries', () => {
    const [finding] = judgeReach(reach([1, 1, 1, 2, -3, -3, -4]));
    expect(finding?.claim).toMatch(/\b2 of 4 other networks \(DE, US\)/u);
  });

  test.each<readonly [string, OutsideView, Parameters<typeof judgeReach>[1], string]>([
    ['silent', reach([-1, -2, -3], PROVEN), { controlHosts: SILENT }, 'egress-blocked no-answer-from-any suspected'],
    ['silent', reach([1, 2, 3], PROVEN), { controlHosts: SILENT }, 'egress-blocked no-answer-from-any suspected'],
    [
      'refusing',
      reach([-1, -2, -3], PROVEN),
      { tcp: failed('refused'), controlHosts: REFUSING },
      'egress-blocked all-refused suspected',
    ],
    [
      'refusing',
      reach([1, 2, 3], PROVEN),
      { tcp: failed('refused'), controlHosts: REFUSING },
      'egress-blocked all-refused suspected',
    ],
  ])('a site whose unrelated hosts are %s as well has a fault of its own', (_, outside, site, expected) => {
    expect(judgeReach(outside, site).map(told)).toEqual([expected]);
  });

  test('changes nothing that is confirmed or works', () => {
    const both = { tcp: failed('refused'), controlHosts: { accepting: 0, refusing: 2, tried: 2 } };
    expect(judgeReach(reach([1, 2, 3]), both)).toEqual(judgeReach(null, both));
    expect(judgeReach(reach([-1, -2, -3], PROVEN), { tcp: { kind: 'open', durationMs: 3 } })).toEqual([]);
  });

  test('says nothing about a service, which was not measured', async () => {
    const config = await configOf('{ services: [{ name: push, host: service.test, severity: critical }] }');
    const [service] = config.services;
    expect(service).toBeDefined();
    const seen = { ...endpoint('192.0.2.9', failed('timeout')), target: 'service.test:443' };
    const judged = (outside: OutsideView | null): readonly Finding[] => {
      const surroundings = { controls: [], now: NOW, ...(outside === null ? {} : { outside }) };
      const own = targetFacts({ path: path({ endpoints: [endpoint('192.0.2.1')] }), surroundings });
      const other = targetFacts({
        path: path({ subject: 'service.test:443', host: 'service.test', endpoints: [seen] }),
        service: service ?? null,
      });
      return reachability.judge(factsOf({ at: NOW, round: roundFacts({ targets: [own, other] }) })).findings;
    };
    const without = judged(null);
    expect(without).toMatchObject([{ rule: 'port-open', level: 'broken', suggests: 'egress-blocked' }]);
    expect(judged(reach([-1, -2, -3], PROVEN))).toEqual(without);
    expect(judged(reach([1, 2, 3]))).toEqual(without);
  });
});

function resolved(...addresses: readonly string[]): DnsObservation {
  const answer = { kind: 'answer', rcode: 'NOERROR', cnames: [], ttlSeconds: 60, durationMs: 3, attempts: 1 } as const;
  const aaaa = { ...answer, addresses: [] };
  return { resolver: '192.0.2.53', name: 'server.test', a: { ...answer, addresses }, aaaa };
}

const SINKHOLED = resolved('10.0.0.1');
const GOOD = resolved('173.243.138.84');

function judgeName(outside: OutsideView | null, names: readonly DnsObservation[] = [SINKHOLED]): readonly Finding[] {
  const surroundings = { controls: [], now: NOW, ...(outside === null ? {} : { outside }) };
  const target = targetFacts({ path: path({ names }), surroundings });
  return nameResolution.judge(factsOf({ at: NOW, round: roundFacts({ targets: [target] }) })).findings;
}

function answers(networks: readonly number[], ...addresses: readonly string[]): OutsideView {
  const results = networks.map((asn): OutsideAnswer => ({ ...probeIn(asn), addresses }));
  return { ...NOBODY, addresses: { at: NOW, results, answer: null } };
}

describe('the name, with what resolvers elsewhere answer', () => {
  test.each<readonly [string, OutsideView, RegExp]>([
    ['other addresses', answers([1, 2, 3], '198.51.100.7', '198.51.100.6'), /198\.51\.100\.6, 198\.51\.100\.7/u],
    ['the same address', answers([1, 2, 3], '10.0.0.1'), /3 other networks .*10\.0\.0\.1/u],
    ['no address', answers([1, 2, 3]), /no address/u],
  ])('shows %s, and accuses nobody', (_, outside, said) => {
    const [before] = judgeName(null);
    const [after, ...more] = judgeName(outside);
    expect(more).toEqual([]);
    expect(after?.claim).toMatch(said);
    expect(after === undefined ? null : { ...after, claim: before?.claim }).toEqual(before);
  });

  test('shows nothing from two networks, or beside a name that resolves', () => {
    expect(judgeName(answers([1, 1, 2], '198.51.100.7'))).toEqual(judgeName(null));
    expect(judgeName(answers([1, 2, 3], '198.51.100.7'), [GOOD])).toEqual([]);
  });
});

describe('other networks that could not be asked', () => {
  const TROUBLED: OutsideView = { ...NOBODY, trouble: 'the service is busy' };
  const notes = (findings: readonly Finding[]): readonly Finding[] => findings.filter(({ level }) => level === 'note');

  test('are named in a note beside a fault', () => {
    for (const findings of [judgeReach(TROUBLED), judgeName(TROUBLED)])
      expect(notes(findings)).toMatchObject([{ claim: expect.stringContaining('the service is busy') }]);
  });

  test('are not named if there is an answer, no fault, or a fault that they cannot settle', () => {
    for (const networks of [[1, 2, 3], [1]])
      expect(notes(judgeReach(reach(networks, { trouble: 'the service is busy' })))).toEqual([]);
    expect(notes(judgeReach(TROUBLED, { tcp: { kind: 'open', durationMs: 3 } }))).toEqual([]);
    expect(notes(judgeName(TROUBLED, [GOOD]))).toEqual([]);
  });
});
