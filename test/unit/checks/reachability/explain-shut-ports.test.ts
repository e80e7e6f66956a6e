import { describe, expect, test } from 'vitest';
import type { EndpointObservation, FailureReason, TcpFailure } from '../../../../src/core/observation.ts';
import type { ControlHosts } from '../../../../src/checks/check.ts';
import { controlHostsOf, reachability } from '../../../../src/checks/reachability/judge.ts';
import { judgedBy } from '../../../support/checks/judged-by.ts';
import { endpoint, open, path } from '../../../support/checks/observed.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const judge = withPlainClaims(
  (controlHosts: ControlHosts, roundTrip: number | null, ...endpoints: readonly EndpointObservation[]) => {
    const known = roundTrip === null ? [] : endpoints.map(({ address }) => [address, roundTrip] as const);
    const surroundings = { controls: [], now: 0, roundTrips: new Map(known) };
    return judgedBy(reachability, { path: path({ endpoints }), controlHosts, surroundings });
  },
);

const A = '192.0.2.1';
const B = '192.0.2.2';
const SILENT = fails('timeout', 3000);

function fails(reason: FailureReason, durationMs: number): TcpFailure {
  return { kind: 'failed', reason, message: reason, durationMs };
}

const ACCEPTING: ControlHosts = { accepting: 2, refusing: 0, tried: 2 };

/** @param seen the server's round trip, or what the control hosts do */
function told(seen: number | null | ControlHosts, ...endpoints: readonly EndpointObservation[]) {
  const [controls, roundTrip] =
    seen === null || typeof seen === 'number' ? ([ACCEPTING, seen] as const) : ([seen, null] as const);
  return judge(controls, roundTrip, ...endpoints).map(({ level, kind, confidence }) => [level, kind, confidence]);
}

describe('a port that does not open', () => {
  test.each<readonly [string, number | null, TcpFailure, readonly [kind: string | undefined, confidence: string]]>([
    ['silence', 20, SILENT, [undefined, 'suspected']],
    ['silence, nothing to measure by', null, SILENT, [undefined, 'suspected']],
    ['a reset at once', 20, fails('refused', 0.4), ['refused-nearer', 'confirmed']],
    ['an ICMP message at once', 20, { ...fails('no-route', 0.4), beyond: true }, ['refused-nearer', 'confirmed']],
    ['a reset at once, nothing to measure by', null, fails('refused', 0.4), [undefined, 'suspected']],
    ['a reset after as long as the server takes to accept', 20, fails('refused', 21), [undefined, 'suspected']],
    ['a reset from a quarter of the way', 20, fails('refused', 5), [undefined, 'suspected']],
    ['a reset from just below', 20, fails('refused', 4.9), ['refused-nearer', 'confirmed']],
    ['a reset somewhat faster than the server accepts', 20, fails('refused', 8), [undefined, 'suspected']],
    [
      'host unreachable, after its router gave up',
      20,
      { ...fails('no-route', 3000), beyond: true },
      [undefined, 'suspected'],
    ],
  ])('when it is %s', (_, roundTrip, tcp, expected) => {
    expect(told(roundTrip, endpoint(A, tcp))).toEqual([['broken', ...expected]]);
  });

  test('is sure of several addresses only where all are refused near by', () => {
    const near = fails('refused', 0.4);
    const both = (kind: string | undefined, confidence: string) => [
      ['broken', kind, confidence],
      ['broken', kind, confidence],
    ];
    expect(told(20, endpoint(A, near), endpoint(B, near))).toEqual(both('refused-nearer', 'confirmed'));
    expect(told(20, endpoint(A, near), endpoint(B, SILENT))).toEqual(both(undefined, 'suspected'));
    expect(told(20, endpoint(A, fails('refused', 25)), endpoint(B, near))).toEqual(both(undefined, 'suspected'));
  });

  test('judges an address beside one that works by itself', () => {
    const [silent, near] = [endpoint(B, SILENT), endpoint('192.0.2.3', fails('refused', 0.4))];
    expect(told(20, endpoint(A), silent, near)).toEqual([
      ['warning', undefined, 'suspected'],
      ['warning', 'refused-nearer', 'confirmed'],
    ]);
  });

  test('leaves to the proxy what it says, and alone our own trouble, and what is no fault', () => {
    const proxied = { ...endpoint(A, SILENT), proxy: 'proxy.test:3128' };
    const noIpv6: EndpointObservation = { ...endpoint('2001:db8::1', fails('no-route', 0.1)), family: 6 };
    expect(told(20, proxied)).toEqual([['broken', 'through-proxy', undefined]]);
    expect(told(20, endpoint(B), endpoint(A, fails('internal', 0.1)))).toEqual([['unknown', undefined, undefined]]);
    expect(told(20, endpoint(A), noIpv6)).toEqual([['note', undefined, undefined]]);
  });
});

describe('a port that does not open beside control hosts that do not answer either', () => {
  const seen = (over: Partial<ControlHosts>): ControlHosts => ({
    accepting: 0,
    refusing: 0,
    tried: 2,
    ...over,
  });

  test.each<readonly [string, ControlHosts, TcpFailure, readonly [kind: string | undefined, confidence: string]]>([
    ['all of them silent, the server too', seen({}), SILENT, ['no-answer-from-any', 'suspected']],
    ['one refuses, the server is silent', seen({ refusing: 1 }), SILENT, ['no-answer-from-any', 'suspected']],
    ['one accepts, the server is silent', seen({ accepting: 1 }), SILENT, [undefined, 'suspected']],
    ['there is none, the server is silent', seen({ tried: 0 }), SILENT, [undefined, 'suspected']],
    ['all refuse, the server too', seen({ refusing: 2 }), fails('refused', 1), ['all-refused', 'confirmed']],
    ['the only one refuses too', seen({ refusing: 1, tried: 1 }), fails('refused', 1), ['all-refused', 'suspected']],
    ['one refuses too, and one is silent', seen({ refusing: 1 }), fails('refused', 1), [undefined, 'suspected']],
    ['all of them silent, the server refuses', seen({}), fails('refused', 1), [undefined, 'suspected']],
    ['there is none, the server refuses', seen({ tried: 0 }), fails('refused', 1), [undefined, 'suspected']],
  ])('%s', (_, controls, tcp, expected) => {
    expect(told(controls, endpoint(A, tcp))).toEqual([['broken', ...expected]]);
  });

  test('says of several addresses the weakest', () => {
    const mixed = told(seen({ refusing: 2 }), endpoint(A, fails('refused', 1)), endpoint(B, SILENT));
    expect(mixed.map(([, kind]) => kind)).toEqual(['no-answer-from-any', 'no-answer-from-any']);
    const answering = told(seen({}), endpoint(A, fails('refused', 1)), endpoint(B, SILENT));
    expect(answering.map(([, kind]) => kind)).toEqual([undefined, undefined]);
  });
});

describe('controlHostsOf()', () => {
  const host = (...endpoints: readonly EndpointObservation[]) => path({ endpoints });
  const refused = endpoint(A, fails('refused', 1));

  test.each([
    ['accept', [host(endpoint(A, open(1))), host(refused, endpoint(B, open(1)))], { accepting: 2 }],
    ['refuse at every address', [host(refused, endpoint(B, fails('reset', 1))), host(refused)], { refusing: 2 }],
    ['are closed at once', [host(endpoint(A, fails('closed', 1))), host(refused)], { refusing: 2 }],
    ['are silent, or have no route', [host(endpoint(A, SILENT)), host(endpoint(A, fails('no-route', 1)))], {}],
    ['are silent at one address', [host(refused, endpoint(B, SILENT)), host(refused)], { refusing: 1 }],
    [
      'could not be tried',
      [host(endpoint(A, fails('aborted', 1))), host(endpoint(A, fails('internal', 1)))],
      { tried: 0 },
    ],
    ['have no address', [host(), host()], { tried: 0 }],
    [
      'are behind a proxy',
      [host({ ...refused, proxy: 'p:3128' }), host({ ...refused, proxy: 'p:3128' })],
      { tried: 0 },
    ],
  ] as const)('counts those that %s', (_, controls, expected) => {
    expect(controlHostsOf({ controls })).toEqual({ accepting: 0, refusing: 0, tried: 2, ...expected });
  });
});
