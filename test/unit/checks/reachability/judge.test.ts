import { describe, expect, test } from 'vitest';
import type {
  EndpointObservation,
  Failure,
  FailureReason,
  ProxyAnswer,
  TcpOutcome,
} from '../../../../src/core/observation.ts';
import { judgeTcp as judgeTcpUnchecked } from '../../../../src/checks/reachability/judge.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const judgeTcp = withPlainClaims(judgeTcpUnchecked);

const TARGET = 'fortitokenmobile.fortinet.com:443';
const OPEN: TcpOutcome = { kind: 'open', durationMs: 12 };

function failed(reason: FailureReason, durationMs = 12, message = 'connect E… 173.243.138.84:443'): Failure {
  return { kind: 'failed', reason, message, durationMs };
}

function seen(address: string, tcp: TcpOutcome): EndpointObservation {
  return { target: TARGET, address, family: address.includes(':') ? 6 : 4, proxy: null, tcp, tls: null, http: null };
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
  ] as const)('breaks reachability when the only address fails with %s', (reason, durationMs, told) => {
    expect(judgeTcp([seen(A, { ...failed(reason, durationMs), beyond: true })])).toEqual([
      {
        rule: 'port-open',
        subject: TARGET,
        claim: expect.stringContaining(`${TARGET} at ${told}.`),
        expected: 'TCP port 443 accepts a connection',
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

  test('names the address that opens beside one that does not', () => {
    const C = '173.243.138.86';
    const [first, ...rest] = judgeTcp([seen(A, failed('timeout', 3000)), seen(B, OPEN), seen(C, failed('timeout'))]);
    expect([first?.facts, first?.clean]).toEqual([{ address: A }, [B]]);
    expect(rest).toHaveLength(1);
  });

  test('says what was not tried, and why', () => {
    expect(judgeTcp([seen(A, failed('aborted'))])).toMatchObject([
      { level: 'unknown', claim: expect.stringMatching(/^Port 443 could not be tried at 173\.243\.138\.84: /u) },
    ]);
    expect(judgeTcp([seen(A, OPEN), seen(V6, failed('no-route'))])).toMatchObject([
      {
        rule: 'family-has-route',
        level: 'note',
        claim: `This machine has no route for IPv6, so ${V6} was not tried.`,
        expected: 'A route for IPv6, or for the other address family',
        facts: { address: V6 },
      },
    ]);
  });

  test('names the proxy instead of an address', () => {
    const through = { ...seen(A, failed('rejected', 3, 'CONNECT got status 403')), proxy: 'p:3128' };
    expect(judgeTcp([through])[0]).toMatchObject({
      facts: { proxy: 'p:3128' },
    });
    expect(judgeTcp([{ ...through, tcp: failed('no-route') }])[0]?.claim).toContain('send to the proxy p:3128');
  });

  test('shows hostile text harmlessly and bounded', () => {
    const [finding] = judgeTcp([seen(A, failed('rejected', 1, `\u001B[31m\u202E${'x'.repeat(1000)}`))]);
    expect(finding?.claim).toMatch(/^[ -~…]{1,250}$/u);
  });
});

describe('judgeTcp through a proxy', () => {
  const PROXY = '10.0.0.8:3128';

  function through(tcp: TcpOutcome): EndpointObservation {
    return { ...seen('fortitokenmobile.fortinet.com', tcp), proxy: PROXY };
  }

  test.each<[Partial<ProxyAnswer> | null, kind: string, claim: string]>([
    [null, 'through-proxy', expect.stringMatching(/ 10\.0\.0\.8:3128: no answer\.$/u)],
    [{ status: 403 }, 'proxy-refuses', 'The proxy 10.0.0.8:3128 answered CONNECT with status 403.'],
    [{ status: 400 }, 'proxy-refuses', 'The proxy 10.0.0.8:3128 answered CONNECT with status 400.'],
    [{ status: 500 }, 'proxy-cannot-connect', 'The proxy 10.0.0.8:3128 answered CONNECT with status 500.'],
    [{ status: 503 }, 'proxy-cannot-connect', 'The proxy 10.0.0.8:3128 answered CONNECT with status 503.'],
    [{ status: 401 }, 'proxy-is-server', 'The proxy 10.0.0.8:3128 answered CONNECT with status 401.'],
    [
      { status: 401, schemes: ['Basic'], hasLogin: true },
      'proxy-is-server',
      'The proxy 10.0.0.8:3128 answered CONNECT with status 401, and offers these login methods: Basic.',
    ],
    [{ status: 407 }, 'proxy-login', 'The proxy 10.0.0.8:3128 answered CONNECT with status 407.'],
    [
      { status: 407, schemes: ['NTLM', 'basic'] },
      'proxy-login',
      'The proxy 10.0.0.8:3128 answered CONNECT with status 407, and offers these login methods: NTLM, basic.',
    ],
    [
      { status: 407, schemes: ['Basic'], hasLogin: true },
      'proxy-login-rejected',
      'The proxy 10.0.0.8:3128 answered CONNECT with status 407, and offers these login methods: Basic.',
    ],
    [
      { status: 407, hasLogin: true },
      'proxy-login-rejected',
      'The proxy 10.0.0.8:3128 answered CONNECT with status 407.',
    ],
    [
      { status: 407, schemes: ['Negotiate', 'NTLM'], hasLogin: true },
      'proxy-login-scheme',
      'The proxy 10.0.0.8:3128 answered CONNECT with status 407, and offers these login methods: Negotiate, NTLM.',
    ],
  ])('says what it answered: %j', (answer, kind, claim) => {
    const proxyAnswer = { status: 0, schemes: [], hasLogin: false, page: null, ...answer };
    const failure = failed('rejected', 12, 'no answer');
    const [finding] = judgeTcp([through(answer === null ? failure : { ...failure, proxyAnswer })]);
    expect(finding).toMatchObject({ level: 'broken', suggests: 'egress-blocked', kind, claim });
    const found = proxyAnswer.schemes.length === 0 ? {} : { found: proxyAnswer.schemes.join(', ') };
    expect(finding?.facts).toEqual({ address: 'fortitokenmobile.fortinet.com', proxy: PROXY, ...found });
    expect(finding?.quote).toBeUndefined();
  });

  test('quotes its page', () => {
    const proxyAnswer = { status: 403, schemes: [], hasLogin: false, page: 'Denied by rule "no-vendors"' };
    expect(judgeTcp([through({ ...failed('rejected'), proxyAnswer })])[0]?.quote).toBe('Denied by rule "no-vendors"');
  });

  test.each([
    [1999, []],
    [2000, ['warning proxy-slow The proxy 10.0.0.8:3128 took 2 s to connect.']],
    [5100, ['warning proxy-slow The proxy 10.0.0.8:3128 took 5.1 s to connect.']],
  ])('a proxy that took %i ms to connect', (durationMs, expected) => {
    const findings = judgeTcp([through({ kind: 'open', durationMs })]);
    expect(findings.map(({ level, suggests, claim }) => `${level} ${suggests ?? '-'} ${claim}`)).toEqual(expected);
  });

  test('a server that took as long is no slow proxy', () => {
    expect(judgeTcp([through({ kind: 'open', durationMs: 2000 })])).toMatchObject([
      {
        rule: 'proxy-connects-in-time',
        expected: 'a connection through the proxy within 2 s',
        facts: { proxy: '10.0.0.8:3128', waited: '2 s' },
      },
    ]);
    expect(judgeTcp([seen(A, { kind: 'open', durationMs: 2900 })])).toEqual([]);
  });
});
