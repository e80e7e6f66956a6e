import { describe, expect, test } from 'vitest';
import { connectionsOf, raised, withSampling } from '../../../../src/checks/intermittent/finding.ts';
import { type Connection, NO_SAMPLES, type Sampling } from '../../../../src/checks/intermittent/sampling.ts';
import { judgeAnswers } from '../../../../src/checks/license-server/judge.ts';
import type { TlsJudgement } from '../../../../src/checks/tls-genuine/chain-case.ts';
import type { EndpointObservation, TcpFailure } from '../../../../src/core/observation.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { established } from '../../../support/certificates/chains.ts';
import { finding } from '../../../support/checks/judged-round.ts';
import { response, targetFacts } from '../../../support/checks/facts.ts';
import { endpoint, failed, path } from '../../../support/checks/observed.ts';
import { intermittentFinding, type Letters, RESET, sampled } from '../../../support/checks/sampled.ts';

const [A, B, C] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'] as const;
const PORT = { ...RESET, stage: 'reachability', cause: 'egress-blocked' } as const;

describe('an intermittent fault', () => {
  test.each<readonly [string, Letters, Partial<Finding>]>([
    ['of one address', { [A]: '.xxxxxx.............' }, { level: 'warning', suggests: 'egress-blocked' }],
    ['of a third', { [A]: '.xxxxxxxxxxxx.......' }, { level: 'broken', suggests: 'egress-blocked' }],
    [
      'of one of two',
      { [A]: '.xxxxxxxxx', [B]: '..........' },
      { level: 'warning', suggests: 'egress-partly-blocked', clean: [B] },
    ],
    ['of two', { [A]: '.xxxxxx...', [B]: '.xxxxx....' }, { level: 'broken', suggests: 'egress-blocked' }],
  ])('%s', (_, burst, told) => {
    const found = intermittentFinding(burst, PORT);
    expect(found).toMatchObject({ rule: 'every-connection-works', confidence: 'suspected', ...told });
    expect(found.clean).toEqual(told.clean);
    expect(found.facts?.address).toBe(burst[B]?.includes('x') === true ? B : A);
  });

  test('is about the most frequent fault, and names its product', () => {
    const found = intermittentFinding({ [A]: '.xxxxxxxx.' }, { ...RESET, product: 'Squid' });
    expect(found).toMatchObject({ suggests: 'tls-blocked', facts: { address: A, product: 'Squid' } });
  });
});

describe('a burst that a fault', () => {
  const ALL_FAIL = 'xxxxxxxxxxxxxxxxxxxx';
  test.each<readonly [string, string, Letters, Letters, Sampling['kind']]>([
    ['ends in', 'is over', { [A]: 'x' }, { [A]: 'xxxxxxxx............' }, 'clear'],
    ['begins in', 'is to be confirmed', { [A]: '.' }, { [A]: '........xxxxxxxxxxxx' }, 'open'],
    ['ends in, at two addresses', 'is over', { [A]: 'x', [B]: 'x' }, { [A]: 'xxxx......', [B]: 'xxx.......' }, 'clear'],
    ['comes back in', 'is intermittent', { [A]: 'x' }, { [A]: 'xxxxxxxx........xxxx' }, 'intermittent'],
    [
      'ends in at one of two addresses',
      'is intermittent',
      { [A]: 'x', [B]: '.' },
      { [A]: 'xxxxxxxx..', [B]: '..........' },
      'intermittent',
    ],
    ['fills', 'is an outage', { [A]: 'x' }, { [A]: ALL_FAIL }, 'outage'],
  ])('%s: it %s', (_, __, own, burst, kind) => {
    expect(sampled(own, burst).kind).toBe(kind);
  });
});

/** Returns the state after a burst in which this many working connections took a second longer. */
function delayed({ bursts, ...rest }: Sampling, count: number): Sampling {
  let left = count;
  const slow = (one: Connection): Connection => {
    if (one.fault !== null || left === 0) return one;
    left -= 1;
    return { ...one, repeated: true };
  };
  return { ...rest, bursts: bursts.map((burst) => ({ ...burst, connections: burst.connections.map(slow) })) };
}

describe('a path that loses packets', () => {
  const dropped = sampled({ [A]: 'x' }, { [A]: '.x..x..x..x..x.' }, NO_SAMPLES, PORT);
  const cut = sampled({ [A]: 'x' }, { [A]: '.x..x..x..x..x.' }, dropped, RESET);
  test.each([
    ['drops connections', dropped, false],
    ['also cuts them', cut, true],
    ['also delays them', delayed(dropped, 2), true],
    ['also delays one', delayed(dropped, 1), false],
    ['delays all', delayed(dropped, 99), false],
  ])('%s', (_, sampling, isLossy) => {
    expect(sampling).toMatchObject({ kind: 'intermittent', main: { cause: 'egress-blocked' } });
    const [found] = withSampling('reachability', [], { sampling, path: path({ endpoints: [endpoint(A)] }) }) ?? [];
    expect(JSON.stringify(found?.advice?.remedy[0]).includes('mtr ')).toBe(isLossy);
    // Fortinet does not operate the servers of a site.
    expect(JSON.stringify(found?.advice?.remedy)).not.toContain('Fortinet');
  });

  test.each<readonly [string, EndpointObservation['http'], Finding['level']]>([
    ['no answer', failed('timeout'), 'note'],
    ['an error', response(503), 'broken'],
  ])('judges the server by %s', (_, http, level) => {
    const endpoints = [{ ...endpoint(A), http }];
    const found = judgeAnswers(targetFacts({ path: path({ endpoints }), sampling: dropped }));
    expect(found?.map((one) => one.level)).toEqual([level]);
  });
});

/** The findings' levels after these rounds, by stage. */
function levels(sampling: Sampling, own: readonly Finding[], addresses: readonly string[]): readonly string[] {
  const seen = path({ endpoints: addresses.map((address) => endpoint(address)) });
  const told = withSampling('reachability', own, { sampling, path: seen }) ?? [];
  return told.map(({ level, suggests }) => `${level} ${String(suggests)}`);
}

describe('a failed connection', () => {
  const broken = finding('egress-blocked', { confidence: 'suspected', facts: { address: A } });
  const soon = finding('certificate-broken', { level: 'warning' });
  const fails = sampled({ [A]: 'x' }, null, NO_SAMPLES, PORT);
  const spent: Sampling = {
    ...NO_SAMPLES,
    bursts: [1, 2, 3].map((ago) => ({ at: fails.at - ago * 60_000, connections: [{ address: A, fault: null }] })),
  };

  test.each<readonly [string, Sampling, readonly string[]]>([
    ['stands until a burst decides', fails, ['broken egress-blocked', 'warning certificate-broken']],
    [
      'is a note if the others work',
      sampled({ [A]: 'x' }, { [A]: '....................' }, NO_SAMPLES, PORT),
      ['note null', 'warning certificate-broken'],
    ],
    [
      'stands if all fail',
      sampled({ [A]: 'x' }, { [A]: 'xxxxxxxxxxxxxxxxxxxx' }, NO_SAMPLES, PORT),
      ['broken egress-blocked', 'warning certificate-broken'],
    ],
    [
      'is unknown while no burst is permitted',
      { ...sampled({ [A]: 'x' }, null, { ...spent, at: fails.at - 30_000 }, PORT) },
      ['unknown null', 'warning certificate-broken'],
    ],
  ])('%s', (_, sampling, expected) => {
    expect(levels(sampling, [broken, soon], [A])).toEqual(expected);
  });

  test('names the address that always fails, where the name gives one after the other', () => {
    const back = [{ [A]: '.' }, { [B]: 'x' }, { [A]: '.' }].reduce<Sampling>(
      (before, own) => sampled(own, null, before, PORT),
      NO_SAMPLES,
    );
    const sampling = sampled({ [A]: '.', [B]: 'x' }, { [A]: '..........', [B]: 'xxxxxxxxxx' }, back, PORT);
    expect(levels(sampling, [{ ...broken, level: 'warning', facts: { address: B } }], [A, B])).toEqual([
      'broken egress-blocked',
      'note null',
    ]);
  });
});

test.each([
  ['one', 1, []],
  ['two', 2, ['warning tls-intercepted']],
])('%s forged certificates beside genuine ones', (_, count, told) => {
  const forged = { ...RESET, cause: 'tls-intercepted', confidence: 'confirmed' } as const;
  let sampling = NO_SAMPLES;
  for (let index = 0; index < count; index += 1)
    sampling = sampled({ [A]: '.' }, null, sampled({ [A]: 'x' }, null, sampling, forged));
  const found = withSampling('tls-genuine', [], { sampling, path: path({ endpoints: [endpoint(A)] }) });
  expect((found ?? []).map(({ level, suggests }) => `${level} ${String(suggests)}`)).toEqual(told);
});

describe('raised()', () => {
  const share: Finding = { ...intermittentFinding({ [A]: '.xxxxxx.............' }), level: 'warning' };
  test.each<readonly [string, Finding, Finding['level']]>([
    ['a share of the whole way', share, 'broken'],
    ['a share of one address of several', { ...share, clean: [B] }, 'warning'],
    ['a share that is past', { ...share, level: 'note' }, 'note'],
    ['something else', { ...share, rule: 'other' }, 'warning'],
  ])('FortiAuthenticator complains beside %s', (_, found, level) => {
    expect(raised(found).level).toBe(level);
  });
});

const TLS = established(await createIdentity({ name: 'CN=server.test' }));
const GENUINE: TlsJudgement = {
  verdict: 'genuine',
  confidence: 'confirmed',
  product: null,
  findings: [],
  summary: '',
  wouldSettle: null,
  authorities: [],
};
const FORGED: TlsJudgement = {
  ...GENUINE,
  verdict: 'intercepted',
  product: 'Squid',
  findings: [finding('tls-blocked', { level: 'warning' }), finding('tls-intercepted')],
};

describe('a connection', () => {
  const of = (seen: EndpointObservation, judgement?: TlsJudgement): readonly Connection[] =>
    connectionsOf([seen], judgement === undefined ? [] : [{ endpoint: seen, outcome: TLS, judgement }]);

  test.each<readonly [string, TlsJudgement, object | null]>([
    ['with a genuine certificate works', GENUINE, null],
    ['with another one fails at TLS', FORGED, { stage: 'tls-genuine', cause: 'tls-intercepted', product: 'Squid' }],
    ['with a mere warning works', { ...FORGED, findings: FORGED.findings.slice(0, 1) }, null],
  ])('%s', (_, judgement, fault) => {
    expect(of(endpoint(C), judgement)).toMatchObject([{ address: C, fault }]);
  });

  test('that was open only after a second was repeated', () => {
    const [fast, late] = [20, 1_000].map((durationMs) => of(endpoint(C, { kind: 'open', durationMs }), GENUINE));
    expect([fast, late]).toEqual([[{ address: C, fault: null }], [{ address: C, fault: null, repeated: true }]]);
  });

  test.each<readonly [string, TcpFailure]>([
    ['that nobody answered', failed('timeout')],
    ['that a router beyond this machine had no way for', { ...failed('no-route'), beyond: true }],
  ])('%s fails at the port', (_, tcp) => {
    expect(of(endpoint(A, tcp))).toMatchObject([{ fault: { stage: 'reachability', cause: 'egress-blocked' } }]);
  });

  test.each<readonly [string, EndpointObservation, TlsJudgement | undefined]>([
    ['that was called off', endpoint(A, failed('aborted')), undefined],
    ['that this machine has no route for', endpoint(A, failed('no-route')), undefined],
    ['whose certificate was not seen', endpoint(A), undefined],
    ['whose certificate could not be judged', endpoint(A), { ...GENUINE, verdict: 'unknown' }],
  ])('%s says nothing of the target', (_, seen, judgement) => {
    expect(of(seen, judgement)).toEqual([]);
  });
});
