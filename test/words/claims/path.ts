import type { ControlHosts } from '../../../src/checks/check.ts';
import { judgeHttp } from '../../../src/checks/license-server/judge.ts';
import { judgeDns, nameResolution } from '../../../src/checks/name-resolution/judge.ts';
import { NO_OTHER_NAMES, type OtherNames } from '../../../src/checks/name-resolution/other-names.ts';
import { judgeTcp, reachability } from '../../../src/checks/reachability/judge.ts';
import type { DnsAnswer, DnsObservation, DnsReply, HttpOutcome, TcpOutcome } from '../../../src/core/observation.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { configOf } from '../../support/config/config-of.ts';
import { judgedBy } from '../../support/checks/judged-by.ts';
import { path } from '../../support/checks/observed.ts';
import { TARGET, A, B, failure, REASONS } from './failures.ts';

function tcp(outcomes: Readonly<Record<string, TcpOutcome>>): readonly Finding[] {
  return judgeTcp(
    Object.entries(outcomes).map(([address, seen]) => {
      const family = address.includes(':') ? 6 : 4;
      return { target: TARGET, address, family, proxy: null, tcp: seen, tls: null, http: null };
    }),
    Object.entries(outcomes).flatMap(([address, { kind }]) => (kind === 'open' ? [address] : [])),
  );
}

const OPEN: TcpOutcome = { kind: 'open', durationMs: 12 };
const SHUT: TcpOutcome = { ...failure('refused'), beyond: true };

function shutPort(controlHosts: ControlHosts, durationMs: number, roundTrip?: number): readonly Finding[] {
  const refused = { ...failure('refused'), durationMs };
  const endpoints = [
    { target: TARGET, address: A, family: 4, proxy: null, tcp: refused, tls: null, http: null } as const,
  ];
  const roundTrips = new Map(roundTrip === undefined ? [] : [[A, roundTrip]]);
  const surroundings = { controls: [], now: 0, roundTrips };
  return judgedBy(reachability, { path: path({ endpoints }), controlHosts, surroundings });
}

export const REACHABILITY = {
  ...Object.fromEntries(REASONS.map((reason) => [reason, tcp({ [A]: { ...failure(reason), beyond: true } })])),
  'refused nearer than the server': shutPort({ accepting: 2, refusing: 0, tried: 2 }, 0.4, 20),
  'refused, as at one control host': shutPort({ accepting: 0, refusing: 1, tried: 1 }, 1),
  'refused, as at two control hosts': shutPort({ accepting: 0, refusing: 2, tried: 2 }, 1),
  'one of two': tcp({ [A]: SHUT, [B]: OPEN }),
  'a family without a route': tcp({ [A]: OPEN, '2001:db8::84': failure('no-route') }),
  'an unrouted proxy': proxied(failure('no-route')),
  'a proxy that fails': proxied(failure('rejected')),
  'a slow proxy': proxied({ kind: 'open', durationMs: 2000 }),
  ...Object.fromEntries(
    (
      [
        [401, []],
        [403, []],
        [407, []],
        [407, ['Negotiate', 'NTLM']],
        [503, []],
      ] as const
    ).map(([status, schemes]) => [
      `a proxy that answers ${String(status)} ${schemes.join(' ')}`.trim(),
      proxied({ ...failure('rejected'), proxyAnswer: { status, schemes, hasLogin: false, page: null } }),
    ]),
  ),
};

function proxied(outcome: TcpOutcome): readonly Finding[] {
  const proxy = '10.0.0.8:3128';
  return judgeTcp(
    [
      {
        target: TARGET,
        address: 'fortitokenmobile.fortinet.com',
        family: 4,
        proxy,
        tcp: outcome,
        tls: null,
        http: null,
      },
    ],
    [],
  );
}

function http(outcome: HttpOutcome): readonly Finding[] {
  return judgeHttp([{ target: TARGET, address: A, family: 4, proxy: null, tcp: OPEN, tls: null, http: outcome }], []);
}

const RESPONSE = {
  kind: 'response',
  date: null,
  receivedAt: 0,
  server: null,
  proxyTraces: [],
  blockPage: null,
  durationMs: 20,
} as const;

export const LICENSE_SERVER = {
  ...Object.fromEntries(REASONS.map((reason) => [reason, http(failure(reason))])),
  'an error of the server': http({ ...RESPONSE, status: 503 }),
  'an error page of a proxy': http({ ...RESPONSE, status: 503, server: 'squid/6.1' }),
  'headers of a proxy': http({ ...RESPONSE, status: 200, proxyTraces: ['via'] }),
  'a block page': http({
    ...RESPONSE,
    status: 403,
    blockPage: { kind: 'filter', product: 'Fortinet FortiGate', quote: 'Web Filter Violation' },
  }),
};

const UDP = 'udp://10.0.0.53:53';
const V6 = '2606:4700::1';

interface BesideReply {
  readonly aaaa?: DnsReply;
  readonly others?: Partial<OtherNames>;
}

function names(a: DnsReply, expectedAddresses: readonly string[] = [], resolver = UDP, more: BesideReply = {}) {
  const name = 'fortitokenmobile.fortinet.com';
  const observations = [{ resolver, name, a, aaaa: more.aaaa ?? reply([]) }];
  const others = { ...NO_OTHER_NAMES, ...more.others };
  return judgeDns({ name, port: 443, expectedAddresses, observations, others, relays: [] }).findings;
}

function other(a: DnsReply): DnsObservation {
  return { resolver: UDP, name: 'www.iana.org', a, aaaa: a };
}

function fullName(a: DnsReply): DnsObservation {
  return {
    resolver: 'system',
    name: 'fortitokenmobile.fortinet.com.',
    a,
    aaaa: reply([], a.kind === 'answer' ? a.rcode : undefined),
  };
}

const { licenseServer } = await configOf('licenseServer: { host: license.example.test, family: 6 }');

function ofFamily(a: DnsAnswer): readonly Finding[] {
  const names = [{ resolver: 'system', name: licenseServer.host, a, aaaa: reply([]) }];
  return judgedBy(nameResolution, { path: path({ host: licenseServer.host, names }), licenseServer });
}

function reply(addresses: readonly string[], rcode = 'NOERROR'): DnsAnswer {
  return { kind: 'answer', rcode, addresses, cnames: [], ttlSeconds: 60, durationMs: 3, attempts: 1 };
}

export const NAME_RESOLUTION = {
  ...Object.fromEntries(REASONS.map((reason) => [reason, names({ ...failure(reason), attempts: 2 })])),
  'no such name': names(reply([], 'NXDOMAIN')),
  'no address': names(reply([])),
  'no address, this machine': names(reply([]), [], 'system'),
  'the server fails': names(reply([], 'SERVFAIL')),
  'the server refuses': names(reply([], 'REFUSED')),
  'a private address': names(reply(['10.0.0.1'])),
  'a loopback address': names(reply(['127.0.0.1'])),
  'a link-local address': names(reply(['169.254.1.1'])),
  'no address at all': names(reply(['0.0.0.0'])),
  'an address of a test network': names(reply(['192.0.2.1'])),
  'an unexpected address': names(reply(['198.41.0.4']), [A]),
  'several false addresses': names(reply(['10.0.0.1', '127.0.0.1', '208.91.112.55', '0.0.0.0'])),
  'half an answer': names(reply([], 'REFUSED'), [], 'system', { aaaa: reply([V6]) }),
  'half an answer, silence': names({ ...failure('timeout'), attempts: 2 }, [], 'system', { aaaa: reply([V6]) }),
  'an answer that is cut short': names({ ...failure('refused'), attempts: 2, truncated: true }),
  'other names are answered': names(reply([], 'SERVFAIL'), [], UDP, { others: { others: [other(reply([V6]))] } }),
  'no name is answered': names(reply([], 'SERVFAIL'), [], UDP, { others: { others: [other(reply([], 'SERVFAIL'))] } }),
  'an address of other names': names(reply([B]), [A], UDP, { others: { others: [other(reply([B]))], shared: [B] } }),
  'a name of this machine': names(reply(['10.0.0.1']), [A], 'system', { others: { absolute: fullName(reply([A])) } }),
  'a name of this machine alone': names(reply(['10.0.0.1']), [A], 'system', {
    others: { absolute: fullName(reply([], 'NXDOMAIN')) },
  }),
  'no address of the family': ofFamily(reply(['173.243.138.84', '173.243.138.85'])),
  ...Object.fromEntries(
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 4711].map((code) => [
      `extended error ${String(code)}`,
      names({ ...reply([], 'SERVFAIL'), extendedErrors: [{ code, text: 'by list 7' }] }),
    ]),
  ),
};
