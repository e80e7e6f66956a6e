import { describe, expect, test } from 'vitest';
import { NAME_CAUSES, type NameCause } from '../../../../src/checks/name-resolution/causes.ts';
import { judgeDns as judgeDnsUnchecked } from '../../../../src/checks/name-resolution/judge.ts';
import { NO_OTHER_NAMES, type OtherNames } from '../../../../src/checks/name-resolution/other-names.ts';
import type { DnsAnswer, DnsObservation, DnsReply, FailureReason } from '../../../../src/core/observation.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const judgeDns = withPlainClaims(judgeDnsUnchecked);

const HOST = 'fortitokenmobile.fortinet.com';
const OTHER = 'www.iana.org';
const GOOD = '173.243.138.84';
const PARKED = '185.53.178.50';
const UDP = 'udp://10.0.0.53:53';

function answer(addresses: readonly string[], rcode = 'NOERROR', code?: number, text = ''): DnsAnswer {
  const extendedErrors = code === undefined ? {} : { extendedErrors: [{ code, text }] };
  return {
    kind: 'answer',
    rcode,
    addresses,
    cnames: [],
    ttlSeconds: 60,
    durationMs: 3,
    attempts: 1,
    ...extendedErrors,
  };
}

function failed(reason: FailureReason): DnsReply {
  return { kind: 'failed', reason, message: 'self-signed certificate', durationMs: 30, attempts: 1 };
}

/** Returns the same reply for both families, but with addresses only for IPv4. */
function seen(a: DnsReply, resolver = UDP, name = HOST): DnsObservation {
  return { resolver, name, a, aaaa: a.kind === 'answer' ? { ...a, addresses: [] } : a };
}

interface Case {
  readonly own: DnsReply;
  readonly resolver?: string;
  readonly others?: Partial<OtherNames>;
  readonly expectedAddresses?: readonly string[];
}

function judge({ own, resolver = UDP, others = {}, expectedAddresses = [GOOD] }: Case) {
  return judgeDns({
    name: HOST,
    port: 443,
    expectedAddresses,
    observations: [seen(own, resolver)],
    others: { ...NO_OTHER_NAMES, ...others },
    relays: [],
  }).findings;
}

/** The same resolver's reply for an unrelated name. */
const unrelated = (reply: DnsReply, resolver = UDP): Partial<OtherNames> => ({
  others: [seen(reply, resolver, OTHER)],
});
const ANSWERS = unrelated(answer(['192.0.43.8']));
const absolute = (...addresses: readonly string[]): Partial<OtherNames> => ({
  absolute: seen(answer(addresses, addresses.length === 0 ? 'NXDOMAIN' : 'NOERROR'), 'system', `${HOST}.`),
});

type Told = readonly [suggests: NameCause, kind: string | undefined, more: string | null];

describe('what a resolver says of other names, and of its reasons', () => {
  test.each<readonly [string, Case, Told]>([
    ['SERVFAIL, and nothing else is known', { own: answer([], 'SERVFAIL') }, ['resolver-unreachable', undefined, null]],
    [
      'SERVFAIL, and other names are answered',
      { own: answer([], 'SERVFAIL'), others: ANSWERS },
      ['resolver-unreachable', 'this-name-alone', `the resolver answers for ${OTHER}`],
    ],
    [
      'SERVFAIL for every name',
      { own: answer([], 'SERVFAIL'), others: unrelated(answer([], 'SERVFAIL')) },
      ['resolver-unreachable', undefined, `the resolver has no address for ${OTHER} either`],
    ],
    [
      'SERVFAIL, and another resolver answers for other names',
      { own: answer([], 'SERVFAIL'), others: unrelated(answer(['192.0.43.8']), 'system') },
      ['resolver-unreachable', undefined, null],
    ],
    [
      'SERVFAIL, and a name of the same owner is answered',
      { own: answer([], 'SERVFAIL'), others: { others: [seen(answer(['54.177.212.176']), UDP, 'www.fortinet.com')] } },
      ['resolver-unreachable', 'this-name-alone', 'the resolver answers for www.fortinet.com'],
    ],
    [
      'SERVFAIL, and for a name of the same owner too',
      { own: answer([], 'SERVFAIL'), others: { others: [seen(answer([], 'SERVFAIL'), UDP, 'www.fortinet.com')] } },
      ['resolver-unreachable', undefined, null],
    ],
    ['REFUSED', { own: answer([], 'REFUSED') }, ['resolver-unreachable', 'refused', null]],
    [
      'REFUSED for every name',
      { own: answer([], 'REFUSED'), others: unrelated(answer([], 'REFUSED')) },
      ['resolver-unreachable', 'refused', `the resolver has no address for ${OTHER} either`],
    ],
    [
      'REFUSED for this name alone',
      { own: answer([], 'REFUSED'), others: ANSWERS },
      ['resolver-unreachable', 'this-name-alone', `the resolver answers for ${OTHER}`],
    ],
    [
      'NXDOMAIN, and other names are answered',
      { own: answer([], 'NXDOMAIN'), others: ANSWERS },
      ['name-not-found', undefined, `the resolver answers for ${OTHER}`],
    ],
    [
      'NXDOMAIN for every name',
      { own: answer([], 'NXDOMAIN'), others: unrelated(answer([], 'NXDOMAIN')) },
      ['name-not-found', undefined, `the resolver has no address for ${OTHER} either`],
    ],
    [
      'a private address, and other names are answered',
      { own: answer(['10.0.0.1']), others: ANSWERS },
      ['answer-hijacked', undefined, `the resolver answers for ${OTHER}`],
    ],
    [
      'an address that other names have as well',
      { own: answer([PARKED]), others: { ...unrelated(answer([PARKED])), shared: [PARKED] } },
      ['answer-hijacked', 'shared-address', `${OTHER} also has the address ${PARKED}`],
    ],
    [
      'the same, learned of another resolver',
      { own: answer([PARKED]), others: { ...unrelated(answer([PARKED]), 'system'), shared: [PARKED] } },
      ['answer-hijacked', 'shared-address', `${OTHER} also has the address ${PARKED}`],
    ],
    [
      'an address that is not expected, and that no other name has',
      { own: answer([PARKED]), others: ANSWERS },
      ['answer-unexpected', undefined, `the resolver answers for ${OTHER}`],
    ],
    [
      'an address of this machine alone',
      { own: answer(['10.0.0.1']), resolver: 'system', others: absolute(GOOD) },
      ['answer-hijacked', 'local-name', `with a trailing dot, the name resolves to ${GOOD}`],
    ],
    [
      'an address of this machine alone, where DNS has no such name',
      { own: answer(['10.0.0.1']), resolver: 'system', others: absolute() },
      ['answer-hijacked', 'local-name', 'with a trailing dot, the name is not found'],
    ],
    [
      'a public address of this machine alone',
      { own: answer([PARKED]), resolver: 'system', others: absolute(GOOD) },
      ['answer-unexpected', 'local-name', `with a trailing dot, the name resolves to ${GOOD}`],
    ],
    [
      'an address that DNS gives as well',
      { own: answer(['10.0.0.1']), resolver: 'system', others: absolute('10.0.0.1') },
      ['answer-hijacked', undefined, null],
    ],
    [
      'an address, and DNS was silent to the other question',
      { own: answer(['10.0.0.1']), resolver: 'system', others: { absolute: seen(failed('timeout'), 'system') } },
      ['answer-hijacked', undefined, null],
    ],
    [
      'an address of another resolver than this machine',
      { own: answer(['10.0.0.1']), others: absolute(GOOD) },
      ['answer-hijacked', undefined, null],
    ],
  ])('%s', (_, given, [suggests, kind, more]) => {
    const [finding, ...rest] = judge(given);
    expect(rest).toEqual([]);
    expect({ suggests: finding?.suggests, kind: finding?.kind }).toEqual({ suggests, kind });
    expect(/; (.+)\.$/u.exec(finding?.claim ?? '')?.[1] ?? null).toBe(more);
    expect(finding?.confidence).toBe(kind === 'local-name' ? 'suspected' : undefined);
  });

  test.each<readonly [code: number, name: string, Partial<Record<NameCause, string>>]>([
    [0, 'Other Error', {}],
    [3, 'Stale Answer', {}],
    [
      4,
      'Forged Answer',
      { 'answer-hijacked': 'filtered', 'name-not-found': 'filtered', 'resolver-unreachable': 'filtered' },
    ],
    [6, 'DNSSEC Bogus', { 'resolver-unreachable': 'dnssec' }],
    [9, 'DNSKEY Missing', { 'resolver-unreachable': 'dnssec' }],
    [
      15,
      'Blocked',
      { 'answer-hijacked': 'filtered', 'name-not-found': 'filtered', 'resolver-unreachable': 'filtered' },
    ],
    [
      17,
      'Filtered',
      { 'answer-hijacked': 'filtered', 'name-not-found': 'filtered', 'resolver-unreachable': 'filtered' },
    ],
    [18, 'Prohibited', { 'resolver-unreachable': 'refused' }],
    [22, 'No Reachable Authority', { 'resolver-unreachable': 'no-authority' }],
    [23, 'Network Error', { 'resolver-unreachable': 'no-authority' }],
    [1, 'Unsupported DNSKEY Algorithm', { 'resolver-unreachable': 'dnssec' }],
    [2, 'Unsupported DS Digest Type', { 'resolver-unreachable': 'dnssec' }],
    [5, 'DNSSEC Indeterminate', { 'resolver-unreachable': 'dnssec' }],
    [7, 'Signature Expired', { 'resolver-unreachable': 'dnssec' }],
    [8, 'Signature Not Yet Valid', { 'resolver-unreachable': 'dnssec' }],
    [10, 'RRSIGs Missing', { 'resolver-unreachable': 'dnssec' }],
    [11, 'No Zone Key Bit Set', { 'resolver-unreachable': 'dnssec' }],
    [12, 'NSEC Missing', { 'resolver-unreachable': 'dnssec' }],
    [13, 'Cached Error', {}],
    [14, 'Not Ready', {}],
    [
      16,
      'Censored',
      { 'answer-hijacked': 'filtered', 'name-not-found': 'filtered', 'resolver-unreachable': 'filtered' },
    ],
    [19, 'Stale NXDOMAIN Answer', {}],
    [20, 'Not Authoritative', {}],
    [21, 'Not Supported', {}],
    [24, 'Invalid Data', {}],
    [4711, 'number 4711', {}],
  ])('the extended error %i: %s', (code, name, kinds) => {
    const cases: readonly (readonly [NameCause, DnsReply])[] = [
      ['answer-hijacked', answer(['10.0.0.1'], 'NOERROR', code, 'by list 7')],
      ['name-not-found', answer([], 'NXDOMAIN', code, 'by list 7')],
      ['resolver-unreachable', answer([], 'SERVFAIL', code, 'by list 7')],
      ['answer-unexpected', answer([PARKED], 'NOERROR', code, 'by list 7')],
    ];
    for (const [suggests, own] of cases) {
      const [finding] = judge({ own, others: ANSWERS });
      expect(finding).toMatchObject({
        suggests,
        claim: expect.stringContaining(`; the resolver gives the reason "${name}".`),
        quote: `Extended DNS error ${String(code)} (${name}): by list 7`,
      });
      expect(finding?.kind).toBe(kinds[suggests]);
    }
  });

  test('of several extended errors the first with a remedy is told, and a text is not needed', () => {
    const own: DnsAnswer = {
      ...answer([], 'SERVFAIL', 0, 'x'),
      extendedErrors: [
        { code: 13, text: '' },
        { code: 22, text: '' },
        { code: 6, text: '' },
      ],
    };
    expect(judge({ own })).toMatchObject([
      { kind: 'no-authority', quote: 'Extended DNS error 22 (No Reachable Authority)' },
    ]);
  });

  test.each<readonly [string, FailureReason, string | undefined]>([
    ['tls://9.9.9.9:853', 'tls', 'untrusted'],
    ['https://dns.quad9.net/dns-query', 'tls', 'untrusted'],
    ['tls://9.9.9.9:853', 'timeout', 'encrypted'],
    ['https://dns.quad9.net/dns-query', 'refused', 'encrypted'],
    ['tls://9.9.9.9:853', 'rejected', undefined],
    ['udp://9.9.9.9:53', 'timeout', undefined],
    ['tcp://9.9.9.9:53', 'refused', undefined],
  ])('a failure of %s, %s: %s', (resolver, reason, kind) => {
    const [finding] = judge({ own: failed(reason), resolver });
    expect([finding?.suggests, finding?.kind]).toEqual(['resolver-unreachable', kind]);
  });

  test('no remedy for a resolver over TLS speaks of port 53 to it', () => {
    const { untrusted, encrypted } = NAME_CAUSES['resolver-unreachable'].kinds;
    const told = [...untrusted.remedy, ...encrypted.remedy];
    expect(told.length).toBeGreaterThan(2);
    expect(JSON.stringify(told)).not.toMatch(/port 53 to|dig /u);
  });
});
