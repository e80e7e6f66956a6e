import { judgeHttp as judgeHttpUnchecked } from '../../../../src/checks/license-server/judge.ts';
import { describe, expect, test } from 'vitest';
import type { BlockPage } from '../../../../src/core/block-page.ts';
import type {
  EndpointObservation,
  Failure,
  FailureReason,
  HttpOutcome,
  TcpOutcome,
} from '../../../../src/core/observation.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const judgeHttp = withPlainClaims(judgeHttpUnchecked);

const TARGET = 'fortitokenmobile.fortinet.com:443';
const OPEN: TcpOutcome = { kind: 'open', durationMs: 12 };
const DEMANDED: HttpOutcome = { kind: 'client-certificate-demanded', durationMs: 9 };

function failed(reason: FailureReason): Failure {
  return { kind: 'failed', reason, message: 'connect E… 173.243.138.84:443', durationMs: 12 };
}

function seen(address: string, tcp: TcpOutcome, http: HttpOutcome | null = null): EndpointObservation {
  return { target: TARGET, address, family: address.includes(':') ? 6 : 4, proxy: null, tcp, tls: null, http };
}

function response(status: number, more: Partial<Extract<HttpOutcome, { kind: 'response' }>> = {}): HttpOutcome {
  return {
    kind: 'response',
    status,
    date: null,
    receivedAt: 0,
    server: null,
    proxyTraces: [],
    blockPage: null,
    durationMs: 20,
    ...more,
  };
}

const A = '173.243.138.84';
const FORTIGATE_PAGE: BlockPage = {
  kind: 'filter',
  product: 'Fortinet FortiGate',
  quote: 'Web Filter Violation',
};
const B = '173.243.138.85';

/** Each failure, and each page, is recorded with its text. */
describe('judgeHttp()', () => {
  const judge = (...outcomes: readonly HttpOutcome[]): readonly Finding[] =>
    judgeHttp(
      outcomes.map((http, index) => seen(index === 0 ? A : B, OPEN, http)),
      outcomes[1]?.kind === 'response' ? [B] : [],
    );
  const DOWN = 'server-answers broken license-server-down';
  const PARTLY_DOWN = 'server-answers warning license-server-down';
  const OPEN_QUESTION = 'server-answers unknown -';

  test.each<readonly [string, readonly HttpOutcome[], readonly string[]]>([
    ['it answers', [response(200)], []],
    ['it refuses the path', [response(404)], []],
    ['it demands a client certificate', [DEMANDED], []],
    ['it fails itself', [response(500)], [DOWN]],
    ['it speaks another protocol', [failed('protocol')], [DOWN]],
    ['another address answers', [response(503), response(200)], [PARTLY_DOWN]],
    ['another address demands a certificate', [failed('timeout'), DEMANDED], [PARTLY_DOWN]],
    ['no address answers', [response(500), failed('timeout')], [DOWN, DOWN]],
    ['the round was called off', [failed('aborted')], [OPEN_QUESTION]],
    ['another address was not judged', [response(503), failed('aborted')], [PARTLY_DOWN, OPEN_QUESTION]],
    ['a filter answers', [response(403, { blockPage: FORTIGATE_PAGE })], ['no-block-page broken tls-blocked']],
    [
      'a filter answers at one address of two',
      [response(200, { blockPage: FORTIGATE_PAGE }), response(200)],
      ['no-block-page warning tls-blocked'],
    ],
    [
      'a Squid proxy answers',
      [response(503, { proxyTraces: ['x-squid-error'] })],
      ['no-block-page broken tls-blocked', 'no-proxy-traces note -'],
    ],
    [
      'a proxy left its traces',
      [response(200, { proxyTraces: ['via: 1.1 x', 'x-mwg-via'] })],
      ['no-proxy-traces note -'],
    ],
  ])('judges that %s', (_, outcomes, expected) => {
    const told = judge(...outcomes).map(({ rule, level, suggests }) => `${rule} ${level} ${suggests ?? '-'}`);
    expect(told).toEqual(expected);
  });

  test('names the address, and one that answers well beside it, but none that does not', () => {
    expect(judge(response(503), response(200))).toMatchObject([{ subject: TARGET, facts: { address: A }, clean: [B] }]);
    expect(judge(response(503), failed('timeout'))[0]?.clean).toBeUndefined();
    expect(judge(response(200, { proxyTraces: ['via: 1.1 x'] }))).toMatchObject([{ facts: { address: A } }]);
  });

  test.each<readonly [string, BlockPage, object]>([
    ['a product', FORTIGATE_PAGE, { product: 'Fortinet FortiGate' }],
    ['nobody known', { ...FORTIGATE_PAGE, product: null }, {}],
    ['a captive portal', { ...FORTIGATE_PAGE, kind: 'portal', product: null }, {}],
  ])('quotes the page, and names whose it is: %s', (_, blockPage, facts) => {
    const [finding] = judge(response(403, { blockPage }));
    expect(finding).toMatchObject({ kind: 'page-inside-tls', confidence: 'suspected', quote: FORTIGATE_PAGE.quote });
    expect(finding?.facts).toEqual({ address: A, ...facts });
  });

  test('leaves out connections that did not get so far', () => {
    expect(judgeHttp([seen(A, failed('timeout')), seen(B, OPEN, response(503))], [])).toMatchObject([
      { level: 'broken', facts: { address: B } },
    ]);
  });
});
