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

const judged = (seen: readonly EndpointObservation[]) => judgeTcp(seen, []);

/** Each failure of a single address is recorded with its text. */
describe('judgeTcp', () => {
  test.each([
    ['nothing was looked at', []],
    ['every address opens', [seen(A, OPEN), seen(V6, OPEN)]],
  ])('finds nothing when %s', (_, observations) => {
    expect(judged(observations)).toEqual([]);
  });

  const SHUT = 'port-open broken egress-blocked';
  const PARTLY_SHUT = 'port-open warning egress-partly-blocked';
  const noRoute = failed('no-route');
  const rejected = { ...noRoute, beyond: true } as const;

  test.each<[string, readonly EndpointObservation[], ...string[]]>([
    ['all of two fail', [seen(A, failed('timeout')), seen(B, failed('refused'))], SHUT, SHUT],
    ['one of two fails', [seen(A, OPEN), seen(B, failed('timeout'))], PARTLY_SHUT],
    ['IPv6 is dropped', [seen(A, OPEN), seen(V6, failed('timeout'))], PARTLY_SHUT],
    ['this machine has no IPv6', [seen(A, OPEN), seen(V6, noRoute)], 'family-has-route note -'],
    ['and IPv4 fails', [seen(A, failed('timeout')), seen(V6, noRoute)], SHUT, 'family-has-route note -'],
    ['no route at all', [seen(A, noRoute), seen(V6, noRoute)], 'family-has-route unknown -', 'family-has-route note -'],
    ['there is only IPv4 and no route', [seen(A, noRoute)], 'family-has-route unknown -'],
    ['a device rejects IPv4 as if without a route, and IPv6 works', [seen(A, rejected), seen(V6, OPEN)], SHUT],
    ['a device rejects IPv6 as if without a route, and IPv4 works', [seen(A, OPEN), seen(V6, rejected)], PARTLY_SHUT],
    ['this machine has only IPv6', [seen(A, noRoute), seen(V6, OPEN)], 'family-has-route note -'],
    ['there is only IPv6 and no route', [seen(V6, noRoute)], 'family-has-route unknown -'],
    ['one IPv6 address of two has no route', [seen(V6, OPEN), seen('2001:db8::85', noRoute)], PARTLY_SHUT],
    ['a bug hid one', [seen(A, failed('timeout')), seen(B, failed('internal'))], PARTLY_SHUT, 'port-open unknown -'],
  ])('judges that %s', (_, observations, ...expected) => {
    const findings = judged(observations).map(({ rule, level, suggests }) => `${rule} ${level} ${suggests ?? '-'}`);
    expect(findings).toEqual(expected);
  });

  test('names the address that opens beside one that does not', () => {
    const C = '173.243.138.86';
    const [first, ...rest] = judgeTcp(
      [seen(A, failed('timeout', 3000)), seen(B, OPEN), seen(C, failed('timeout'))],
      [B],
    );
    expect([first?.facts, first?.clean]).toEqual([{ address: A }, [B]]);
    expect(rest).toHaveLength(1);
  });

  test('names the address that was not tried, or the proxy instead', () => {
    expect(judged([seen(A, OPEN), seen(V6, failed('no-route'))])).toMatchObject([{ facts: { address: V6 } }]);
    const through = { ...seen(A, failed('rejected', 3, 'CONNECT got status 403')), proxy: 'p:3128' };
    expect(judged([through])).toMatchObject([{ facts: { proxy: 'p:3128' } }]);
  });

  test('shows hostile text harmlessly and bounded', () => {
    const [finding] = judged([seen(A, failed('rejected', 1, `\u001B[31m\u202E${'x'.repeat(1000)}`))]);
    expect(finding?.claim).toMatch(/^[ -~…]{1,250}$/u);
  });
});

describe('judgeTcp through a proxy', () => {
  const PROXY = '10.0.0.8:3128';

  function through(tcp: TcpOutcome): EndpointObservation {
    return { ...seen('fortitokenmobile.fortinet.com', tcp), proxy: PROXY };
  }

  test.each<[Partial<ProxyAnswer> | null, kind: string]>([
    [null, 'through-proxy'],
    [{ status: 403 }, 'proxy-refuses'],
    [{ status: 400 }, 'proxy-refuses'],
    [{ status: 500 }, 'proxy-cannot-connect'],
    [{ status: 503 }, 'proxy-cannot-connect'],
    [{ status: 401 }, 'proxy-refuses'],
    [{ status: 407 }, 'proxy-login'],
    [{ status: 407, schemes: ['NTLM', 'basic'] }, 'proxy-login'],
    [{ status: 407, schemes: ['Basic'], hasLogin: true }, 'proxy-login-rejected'],
    [{ status: 407, hasLogin: true }, 'proxy-login-rejected'],
    [{ status: 407, schemes: ['Negotiate', 'NTLM'], hasLogin: true }, 'proxy-login-scheme'],
  ])('says what it answered: %j', (answer, kind) => {
    const proxyAnswer = { status: 0, schemes: [], hasLogin: false, page: null, ...answer };
    const failure = failed('rejected', 12, 'no answer');
    const [finding] = judged([through(answer === null ? failure : { ...failure, proxyAnswer })]);
    expect(finding).toMatchObject({ level: 'broken', suggests: 'egress-blocked', kind });
    const found = proxyAnswer.schemes.length === 0 ? {} : { found: proxyAnswer.schemes.join(', ') };
    expect(finding?.facts).toEqual({ address: 'fortitokenmobile.fortinet.com', proxy: PROXY, ...found });
    expect(finding?.quote).toBeUndefined();
  });

  test('quotes its page', () => {
    const proxyAnswer = { status: 403, schemes: [], hasLogin: false, page: 'Denied by rule "no-vendors"' };
    expect(judged([through({ ...failed('rejected'), proxyAnswer })])[0]?.quote).toBe('Denied by rule "no-vendors"');
  });

  test.each([
    [1999, []],
    [2000, ['2 s']],
    [5100, ['5.1 s']],
  ])('a proxy that took %i ms to connect', (durationMs, expected) => {
    const findings = judged([through({ kind: 'open', durationMs })]);
    expect(findings.map(({ facts }) => facts?.waited)).toEqual(expected);
    const slow = { rule: 'proxy-connects-in-time', level: 'warning', suggests: 'proxy-slow' };
    for (const finding of findings) expect(finding).toMatchObject({ ...slow, facts: { proxy: PROXY } });
  });

  test('a server that took as long is no slow proxy', () => {
    expect(judged([seen(A, { kind: 'open', durationMs: 2900 })])).toEqual([]);
  });
});
