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
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const judgeHttp = withPlainClaims(judgeHttpUnchecked);

const TARGET = 'fortitokenmobile.fortinet.com:443';
const OPEN: TcpOutcome = { kind: 'open', durationMs: 12 };
const DEMANDED: HttpOutcome = { kind: 'client-certificate-demanded', durationMs: 9 };

function failed(reason: FailureReason, durationMs = 12, message = 'connect E… 173.243.138.84:443'): Failure {
  return { kind: 'failed', reason, message, durationMs };
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

describe('judgeHttp', () => {
  const FAILED = `HTTP request at ${A} failed: `;

  test.each<readonly [string, readonly HttpOutcome[]]>([
    ['it answers', [response(200)]],
    ['it refuses the path', [response(404)]],
    ['it demands a client certificate', [DEMANDED]],
  ])('finds nothing when %s', (_, outcomes) => {
    expect(judgeHttp(outcomes.map((http) => seen(A, OPEN, http)))).toEqual([]);
  });

  test.each<readonly [string, HttpOutcome, string, string]>([
    ['a status from 500 on', response(503), 'HTTP 503', `server answered at ${A} with an error, `],
    ['silence', failed('timeout', 4002), 'no answer within 4 s', FAILED],
    ['a reset', failed('reset', 5), 'reset after 5 ms', FAILED],
    ['another protocol', failed('protocol', 5, 'Response does not match'), 'Response does not match', FAILED],
  ])('takes %s for a server that is down', (_, http, said, what) => {
    expect(judgeHttp([seen(A, OPEN, http)])).toEqual([
      {
        rule: 'server-answers',
        subject: TARGET,
        claim: `The ${what}${said}.`,
        expected: 'An HTTP answer with a status below 500, or a request for a client certificate',
        level: 'broken',
        suggests: 'license-server-down',
        facts: { address: A },
      },
    ]);
  });

  test.each<readonly [string, readonly HttpOutcome[], readonly (readonly [string, string, string | null])[]]>([
    ['another address answers', [response(503), response(200)], [['server-answers', 'warning', 'license-server-down']]],
    [
      'another address demands a certificate',
      [failed('timeout'), DEMANDED],
      [['server-answers', 'warning', 'license-server-down']],
    ],
    [
      'no address answers',
      [response(500), failed('timeout')],
      [
        ['server-answers', 'broken', 'license-server-down'],
        ['server-answers', 'broken', 'license-server-down'],
      ],
    ],
    ['the round was called off', [failed('aborted')], [['server-answers', 'unknown', null]]],
    ['a filter answers', [response(403, { blockPage: FORTIGATE_PAGE })], [['no-block-page', 'broken', 'tls-blocked']]],
    [
      'a filter answers at one address of two',
      [response(200, { blockPage: FORTIGATE_PAGE }), response(200)],
      [['no-block-page', 'warning', 'tls-blocked']],
    ],
    [
      'a Squid proxy answers',
      [response(503, { proxyTraces: ['x-squid-error'] })],
      [
        ['no-block-page', 'broken', 'tls-blocked'],
        ['no-proxy-traces', 'note', null],
      ],
    ],
    [
      'a proxy left its traces',
      [response(200, { proxyTraces: ['via: 1.1 x', 'x-mwg-via'] })],
      [['no-proxy-traces', 'note', null]],
    ],
  ])('judges that %s', (_, outcomes, expected) => {
    const findings = judgeHttp(outcomes.map((http, index) => seen(index === 0 ? A : B, OPEN, http)));
    expect(findings.map(({ rule, level, suggests }) => [rule, level, suggests])).toEqual(expected);
  });

  test('names an address that answers well, and none that does not', () => {
    const clean = (...outcomes: readonly HttpOutcome[]) =>
      judgeHttp(outcomes.map((http, index) => seen(index === 0 ? A : B, OPEN, http)))[0]?.clean;
    expect(clean(response(503), response(200))).toEqual([B]);
    expect(clean(response(503), failed('timeout'))).toBeUndefined();
  });

  test('breaks nothing where the other address was not judged', () => {
    const findings = judgeHttp([seen(A, OPEN, response(503)), seen(B, OPEN, failed('aborted'))]);
    expect(findings.map(({ level }) => level)).toEqual(['warning', 'unknown']);
  });

  test('says where a proxy left its traces', () => {
    expect(judgeHttp([seen(A, OPEN, response(200, { proxyTraces: ['via: 1.1 x', 'x-mwg-via'] }))])).toMatchObject([
      {
        subject: TARGET,
        expected: 'No headers added by a proxy or filter',
        facts: { address: A },
      },
    ]);
  });

  test.each<readonly [string, BlockPage, object, string]>([
    ['a product', FORTIGATE_PAGE, { product: 'Fortinet FortiGate' }, 'a block page from Fortinet FortiGate'],
    ['nobody known', { ...FORTIGATE_PAGE, product: null }, {}, 'a block page'],
    ['a captive portal', { ...FORTIGATE_PAGE, kind: 'portal', product: null }, {}, 'a captive portal page'],
  ])('names whose page it is: %s', (_, blockPage, facts, what) => {
    expect(judgeHttp([seen(A, OPEN, response(403, { blockPage }))])).toEqual([
      {
        rule: 'no-block-page',
        subject: TARGET,
        claim: `The answer at ${A} came from ${what} (HTTP 403), not from the server.`,
        quote: FORTIGATE_PAGE.quote,
        expected: 'An answer from the server itself, not from a filter or proxy',
        level: 'broken',
        suggests: 'tls-blocked',
        kind: 'page-inside-tls',
        confidence: 'suspected',
        facts: { address: A, ...facts },
      },
    ]);
  });

  test('leaves out connections that did not get so far', () => {
    expect(judgeHttp([seen(A, failed('timeout')), seen(B, OPEN, response(503))])).toMatchObject([
      { level: 'broken', facts: { address: B } },
    ]);
  });
});
