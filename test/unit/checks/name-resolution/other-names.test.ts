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

const servfail = answer([], 'SERVFAIL');
const refused = answer([], 'REFUSED');
const nxdomain = answer([], 'NXDOMAIN');
const fake = answer(['10.0.0.1']);
const parked = answer([PARKED]);
const ofOwner = (reply: DnsReply): Partial<OtherNames> => ({ others: [seen(reply, UDP, 'www.fortinet.com')] });
const shared = (resolver: string): Partial<OtherNames> => ({ ...unrelated(parked, resolver), shared: [PARKED] });
const atSystem = (own: DnsReply, others: Partial<OtherNames>): Case => ({ own, resolver: 'system', others });

describe('what a resolver says of other names, and of its reasons', () => {
  test.each<[string, Case, suggests: NameCause, kind?: string]>([
    ['SERVFAIL, and nothing else is known', { own: servfail }, 'resolver-unreachable'],
    ['SERVFAIL, other names answered', { own: servfail, others: ANSWERS }, 'resolver-unreachable', 'this-name-alone'],
    ['SERVFAIL for every name', { own: servfail, others: unrelated(servfail) }, 'resolver-unreachable'],
    [
      'SERVFAIL, and another resolver answers for other names',
      { own: servfail, others: unrelated(answer(['192.0.43.8']), 'system') },
      'resolver-unreachable',
    ],
    [
      'SERVFAIL, and a name of the same owner is answered',
      { own: servfail, others: ofOwner(answer(['54.177.212.176'])) },
      'resolver-unreachable',
      'this-name-alone',
    ],
    ['SERVFAIL, also for a name of the owner', { own: servfail, others: ofOwner(servfail) }, 'resolver-unreachable'],
    ['REFUSED', { own: refused }, 'resolver-unreachable', 'refused'],
    ['REFUSED for every name', { own: refused, others: unrelated(refused) }, 'resolver-unreachable', 'refused'],
    ['REFUSED for this name', { own: refused, others: ANSWERS }, 'resolver-unreachable', 'this-name-alone'],
    ['NXDOMAIN, and other names are answered', { own: nxdomain, others: ANSWERS }, 'name-not-found'],
    ['NXDOMAIN for every name', { own: nxdomain, others: unrelated(nxdomain) }, 'name-not-found'],
    ['a private address, and other names are answered', { own: fake, others: ANSWERS }, 'answer-hijacked'],
    ['an address of other names', { own: parked, others: shared(UDP) }, 'answer-hijacked', 'shared-address'],
    ['the same, of another resolver', { own: parked, others: shared('system') }, 'answer-hijacked', 'shared-address'],
    ['an unexpected address that no other name has', { own: parked, others: ANSWERS }, 'answer-unexpected'],
    ['an address of this machine', atSystem(fake, absolute(GOOD)), 'answer-hijacked', 'local-name'],
    ['the same, where DNS has no such name', atSystem(fake, absolute()), 'answer-hijacked', 'local-name'],
    ['a public address of this machine', atSystem(parked, absolute(GOOD)), 'answer-unexpected', 'local-name'],
    ['an address that DNS gives as well', atSystem(fake, absolute('10.0.0.1')), 'answer-hijacked'],
    [
      'an address, and DNS was silent to the other question',
      atSystem(fake, { absolute: seen(failed('timeout'), 'system') }),
      'answer-hijacked',
    ],
    ['an address of another resolver than this machine', { own: fake, others: absolute(GOOD) }, 'answer-hijacked'],
  ])('%s', (_, given, suggests, kind) => {
    const findings = judge(given);
    const confidence = kind === 'local-name' ? 'suspected' : undefined;
    expect(findings.map((finding) => [finding.suggests, finding.kind, finding.confidence])).toEqual([
      [suggests, kind, confidence],
    ]);
  });

  const FILTERED = { 'answer-hijacked': 'filtered', 'name-not-found': 'filtered', 'resolver-unreachable': 'filtered' };
  const DNSSEC = { 'resolver-unreachable': 'dnssec' };
  const NO_AUTHORITY = { 'resolver-unreachable': 'no-authority' };
  const CODES: readonly (readonly [codes: readonly number[], kinds: Partial<Record<NameCause, string>>])[] = [
    [[4, 15, 16, 17], FILTERED],
    [[1, 2, 5, 6, 7, 8, 9, 10, 11, 12], DNSSEC],
    [[18], { 'resolver-unreachable': 'refused' }],
    [[22, 23], NO_AUTHORITY],
    [[0, 3, 13, 14, 19, 20, 21, 24, 4711], {}],
  ];

  test.each(CODES.flatMap(([codes, kinds]) => codes.map((code) => [code, kinds] as const)))(
    'the extended error %i: %j',
    (code, kinds) => {
      const cases: readonly (readonly [NameCause, DnsReply])[] = [
        ['answer-hijacked', answer(['10.0.0.1'], 'NOERROR', code, 'by list 7')],
        ['name-not-found', answer([], 'NXDOMAIN', code, 'by list 7')],
        ['resolver-unreachable', answer([], 'SERVFAIL', code, 'by list 7')],
        ['answer-unexpected', answer([PARKED], 'NOERROR', code, 'by list 7')],
      ];
      for (const [suggests, own] of cases) {
        const [finding] = judge({ own, others: ANSWERS });
        expect([finding?.suggests, finding?.kind]).toEqual([suggests, kinds[suggests]]);
        expect(finding?.quote).toMatch(/ by list 7$/u);
      }
    },
  );

  test('of several extended errors the first with a remedy is told, and a text is not needed', () => {
    const own: DnsAnswer = {
      ...answer([], 'SERVFAIL', 0, 'x'),
      extendedErrors: [
        { code: 13, text: '' },
        { code: 22, text: '' },
        { code: 6, text: '' },
      ],
    };
    expect(judge({ own })).toMatchObject([{ kind: 'no-authority', quote: expect.stringMatching(/ 22 \(/u) }]);
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
