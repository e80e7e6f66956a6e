import { judgeHttp as judgeHttpUnchecked } from '../../../../src/checks/license-server/judge.ts';
import { describe, expect, test } from 'vitest';
import type {
  EndpointObservation,
  Failure,
  FailureReason,
  HttpOutcome,
  TcpOutcome,
} from '../../../../src/core/observation.ts';
import { judgeTcp as judgeTcpUnchecked } from '../../../../src/checks/reachability/judge.ts';
import { withPlainClaims } from '../../../support/plain-claim.ts';

const judgeTcp = withPlainClaims(judgeTcpUnchecked);
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
const B = '173.243.138.85';
const V6 = '2001:db8::84';

describe('judgeTcp', () => {
  test.each([
    ['nothing was looked at', []],
    ['every address opens', [seen(A, OPEN), seen(V6, OPEN)]],
  ])('finds nothing when %s', (_, observations) => {
    expect(judgeTcp(observations)).toEqual([]);
  });

  test.each([
    ['timeout', 3001, `${A}: no answer within 3 s`],
    ['refused', 1, `${A}: connection refused`],
    ['reset', 12.4, `${A}: reset after 12 ms`],
    ['closed', 1500, `${A}: closed by the peer after 1.5 s`],
    ['no-route', 1, `${A}: no route (connect E… 173.243.138.84:443)`],
    ['rejected', 1, `${A}: connect E… 173.243.138.84:443`],
  ] as const)('breaks reachability when the only address fails with %s', (reason, durationMs, actual) => {
    expect(judgeTcp([seen(A, { ...failed(reason, durationMs), beyond: true })])).toEqual([
      {
        rule: 'port-open',
        subject: TARGET,
        claim: `Port 443 at ${A} did not open: ${actual.slice(A.length + 2)}.`,
        expected: 'TCP port 443 accepts a connection',
        actual,
        level: 'broken',
        suggests: 'egress-blocked',
        facts: { address: A },
      },
    ]);
  });

  test.each<readonly [string, readonly EndpointObservation[], readonly (readonly [string, string, string | null])[]]>([
    [
      'all of two fail',
      [seen(A, failed('timeout')), seen(B, failed('refused'))],
      [
        ['port-open', 'broken', 'egress-blocked'],
        ['port-open', 'broken', 'egress-blocked'],
      ],
    ],
    [
      'one of two fails',
      [seen(A, OPEN), seen(B, failed('timeout'))],
      [['port-open', 'warning', 'egress-partly-blocked']],
    ],
    [
      'IPv6 is dropped',
      [seen(A, OPEN), seen(V6, failed('timeout'))],
      [['port-open', 'warning', 'egress-partly-blocked']],
    ],
    ['this machine has no IPv6', [seen(A, OPEN), seen(V6, failed('no-route'))], [['family-has-route', 'note', null]]],
    [
      'this machine has no IPv6 and IPv4 fails',
      [seen(A, failed('timeout')), seen(V6, failed('no-route'))],
      [
        ['port-open', 'broken', 'egress-blocked'],
        ['family-has-route', 'note', null],
      ],
    ],
    [
      'this machine has no route at all',
      [seen(A, failed('no-route')), seen(V6, failed('no-route'))],
      [
        ['family-has-route', 'unknown', null],
        ['family-has-route', 'note', null],
      ],
    ],
    ['there is only IPv4 and no route', [seen(A, failed('no-route'))], [['family-has-route', 'unknown', null]]],
    [
      'IPv4 is rejected on the way as if there were no route, and IPv6 works',
      [seen(A, { ...failed('no-route'), beyond: true }), seen(V6, OPEN)],
      [['port-open', 'broken', 'egress-blocked']],
    ],
    [
      'IPv6 is rejected on the way as if there were no route, and IPv4 works',
      [seen(A, OPEN), seen(V6, { ...failed('no-route'), beyond: true })],
      [['port-open', 'warning', 'egress-partly-blocked']],
    ],
    ['this machine has only IPv6', [seen(A, failed('no-route')), seen(V6, OPEN)], [['family-has-route', 'note', null]]],
    ['there is only IPv6 and no route', [seen(V6, failed('no-route'))], [['family-has-route', 'unknown', null]]],
    [
      'one IPv6 address of two has no route',
      [seen(V6, OPEN), seen('2001:db8::85', failed('no-route'))],
      [['port-open', 'warning', 'egress-partly-blocked']],
    ],
    ['the round was called off', [seen(A, failed('aborted'))], [['port-open', 'unknown', null]]],
    [
      'one fails and our own bug hid the other',
      [seen(A, failed('timeout')), seen(B, failed('internal'))],
      [
        ['port-open', 'warning', 'egress-partly-blocked'],
        ['port-open', 'unknown', null],
      ],
    ],
  ])('judges that %s', (_, observations, expected) => {
    expect(judgeTcp(observations).map(({ rule, level, suggests }) => [rule, level, suggests])).toEqual(expected);
  });

  test('names the proxy instead of an address', () => {
    const through = { ...seen(A, failed('rejected', 3, 'CONNECT got status 403')), proxy: 'p:3128' };
    expect(judgeTcp([through])[0]).toMatchObject({
      actual: 'through the proxy p:3128: CONNECT got status 403',
      facts: { proxy: 'p:3128' },
    });
    expect(judgeTcp([{ ...through, tcp: failed('no-route') }])[0]?.claim).toContain('send to the proxy p:3128');
  });

  test('shows hostile text harmlessly and bounded', () => {
    const [finding] = judgeTcp([seen(A, failed('rejected', 1, `\u001B[31m\u202E${'x'.repeat(1000)}`))]);
    expect(finding?.actual).toMatch(/^[ -~…]{1,250}$/u);
  });
});

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
        expected: 'An HTTP answer with a status below 500, or a demand for a client certificate',
        actual: `${A}: ${said}`,
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
    [
      'a filter answers',
      [response(403, { blockPage: 'FortiGate web filter: Web Page Blocked' })],
      [['no-block-page', 'broken', 'tls-blocked']],
    ],
    [
      'a filter answers at one address of two',
      [response(200, { blockPage: 'x' }), response(200)],
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
      judgeHttp(outcomes.map((http, index) => seen(index === 0 ? A : B, OPEN, http)))[0]?.facts?.clean;
    expect(clean(response(503), response(200))).toBe(B);
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
        expected: 'No header that a proxy or a filter adds',
        actual: `${A}: via: 1.1 x, x-mwg-via`,
        facts: { address: A },
      },
    ]);
  });

  test.each([
    ['FortiGate web filter: Web Page Blocked', { product: 'Fortinet FortiGate' }],
    ['Captive portal: sign-in required', {}],
  ])('names the product of the page "%s"', (blockPage, facts) => {
    expect(judgeHttp([seen(A, OPEN, response(403, { blockPage }))])).toMatchObject([
      { kind: 'page-inside-tls', confidence: 'suspected', facts: { address: A, ...facts } },
    ]);
  });

  test('leaves out connections that did not get so far', () => {
    expect(judgeHttp([seen(A, failed('timeout')), seen(B, OPEN, response(503))])).toMatchObject([
      { level: 'broken', facts: { address: B } },
    ]);
  });
});
