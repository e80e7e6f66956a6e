import { describe, expect, test } from 'vitest';
import { NAME_CAUSES, type NameCause } from '../../../../src/checks/name-resolution/causes.ts';
import { judgeDns as judgeDnsUnchecked, nameResolution } from '../../../../src/checks/name-resolution/judge.ts';
import { wordsFor } from '../../../../src/engine/words.ts';
import { NO_OTHER_NAMES, type OtherNames } from '../../../../src/checks/name-resolution/other-names.ts';
import type { DnsAnswer, DnsObservation, DnsReply, FailureReason } from '../../../../src/core/observation.ts';
import { judgedBy } from '../../../support/checks/judged-by.ts';
import { path } from '../../../support/checks/observed.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';
import { configOf } from '../../../support/config/config-of.ts';

const judgeDns = withPlainClaims(judgeDnsUnchecked);

const HOST = 'fortitokenmobile.fortinet.com';
const GOOD = '173.243.138.84';
const OTHER = '198.41.0.4';
const V6 = '2606:4700::1';
const PARKED = '185.53.178.50';
const UDP = 'udp://10.0.0.53:53';

function answer(addresses: readonly string[], rcode = 'NOERROR', ...codes: readonly number[]): DnsAnswer {
  const extendedErrors = codes.map((code) => ({ code, text: 'by list 7' }));
  const asked = { cnames: [], ttlSeconds: 60, durationMs: 3, attempts: 1 } as const;
  return { kind: 'answer', rcode, addresses, ...asked, ...(codes.length === 0 ? {} : { extendedErrors }) };
}

function failed(reason: FailureReason, more: object = {}): DnsReply {
  return { kind: 'failed', reason, message: 'no', durationMs: 3000, attempts: 2, ...more };
}

/** The answer over UDP was truncated, and then TCP failed. */
const cutShort = (reason: FailureReason): DnsReply => failed(reason, { truncated: true });

function seen(a: DnsReply, aaaa: DnsReply = answer([]), resolver = 'system', name = HOST): DnsObservation {
  return { resolver, name, a, aaaa };
}

interface Known {
  readonly expected?: readonly string[];
  readonly relays?: readonly string[];
  readonly others?: Partial<OtherNames>;
}

function judge(observations: readonly DnsObservation[], { expected = [], relays = [], others = {} }: Known = {}) {
  const known = { name: HOST, port: 443, expectedAddresses: expected, others: { ...NO_OTHER_NAMES, ...others } };
  return judgeDns({ ...known, observations, relays });
}

type Judged = ReturnType<typeof judge>;

const brief = ({ findings }: Judged): readonly string[] =>
  findings.map(({ level, rule, suggests, kind = '' }) => `${level} ${rule} ${suggests ?? '-'} ${kind}`.trim());

const UNREACHABLE = 'broken resolver-answers resolver-unreachable';
const SLIGHT = 'warning resolver-answers resolver-unreachable';
const ASIDE = 'note resolver-answers -';
const NOT_FOUND = 'broken name-exists name-not-found';
const HIJACKED = 'broken answer-acceptable answer-hijacked';
const UNEXPECTED = 'warning answer-expected answer-unexpected';
const DISAGREE = 'warning resolvers-agree resolvers-disagree';

const NXDOMAIN = answer([], 'NXDOMAIN');
const SERVFAIL = answer([], 'SERVFAIL');
const REFUSED = answer([], 'REFUSED');
const SILENCE = failed('timeout');
const LIE = answer(['10.0.0.1']);
const good = answer([GOOD]);

describe('judgeDns() with one resolver', () => {
  test.each<readonly [string, DnsReply, DnsReply, readonly string[]]>([
    ['a public address', good, answer([]), []],
    ['both families', good, answer([V6]), []],
    ['only IPv6', answer([]), answer([V6]), []],
    ['NXDOMAIN for the other family', good, NXDOMAIN, []],
    ['NXDOMAIN for A, silence for AAAA', NXDOMAIN, SILENCE, [NOT_FOUND]],
    ['no A, silence for AAAA', answer([]), SILENCE, [UNREACHABLE]],
    ['silence for both', SILENCE, SILENCE, [UNREACHABLE]],
    ['a good A and a silent AAAA', good, SILENCE, [ASIDE]],
    ['a good A and SERVFAIL for AAAA', good, SERVFAIL, [ASIDE]],
    ['a silent A and a good AAAA', SILENCE, answer([V6]), [SLIGHT]],
    ['a round that was called off', failed('aborted'), failed('aborted'), ['unknown resolver-answers -']],
    ['0.0.0.0', answer(['0.0.0.0']), answer(['::']), [HIJACKED]],
    ['a good and a private address', answer([GOOD, '10.1.1.1']), answer([]), [HIJACKED]],
    ['a truncated answer, and TCP times out', cutShort('timeout'), answer([]), [`${UNREACHABLE} tcp-blocked`]],
    ['a truncated answer, and TCP is reset', cutShort('reset'), answer([]), [`${UNREACHABLE} tcp-blocked`]],
    ['a truncated answer, and TCP is closed', cutShort('closed'), answer([]), [`${UNREACHABLE} tcp-blocked`]],
    ['a truncated answer, and ICMP rejects TCP', cutShort('no-route'), answer([]), [`${UNREACHABLE} tcp-blocked`]],
    ['a truncated answer for one family', cutShort('refused'), answer([V6]), [`${SLIGHT} tcp-blocked`]],
    ['a truncated answer, and TCP is of no use', cutShort('protocol'), answer([]), [UNREACHABLE]],
    ['a truncated answer, and the round called off', cutShort('aborted'), answer([]), ['unknown resolver-answers -']],
  ])('%s', (_, a, aaaa, expected) => {
    expect(brief(judge([seen(a, aaaa)]))).toEqual(expected);
  });

  test('names the resolver, the address and the owner of a sinkhole', () => {
    const facts = (a: DnsReply, known: Known = {}): unknown => judge([seen(a)], known).findings[0]?.facts;
    expect(facts(NXDOMAIN)).toEqual({ resolver: 'system' });
    expect(facts(SERVFAIL)).toEqual({ resolver: 'system' });
    expect(facts(answer([GOOD, OTHER]), { expected: [GOOD] })).toEqual({ resolver: 'system', address: OTHER });
    expect(facts(answer(['10.0.0.1', '127.0.0.1']))).toEqual({ resolver: 'system', address: '10.0.0.1' });
    const product = 'FortiGuard DNS filter';
    expect(facts(answer(['208.91.112.55']))).toEqual({ resolver: 'system', address: '208.91.112.55', product });
  });
});

describe('judgeDns() with a list of expected addresses, and relays', () => {
  test.each<readonly [string, readonly string[], Known, readonly string[]]>([
    ['inside a block', [GOOD], { expected: ['173.243.138.0/24'] }, []],
    ['the address itself', [GOOD], { expected: [GOOD] }, []],
    ['outside', [OTHER], { expected: ['173.243.138.0/24'] }, [UNEXPECTED]],
    ['a private address that is expected', ['10.1.1.1'], { expected: ['10.0.0.0/8'] }, []],
    ['loopback that is expected', ['127.0.0.5'], { expected: ['127.0.0.0/8'] }, []],
    ['a sinkhole that is expected', ['208.91.112.55'], { expected: ['208.91.112.55'] }, []],
    ['a private address that is not', ['10.1.1.1'], { expected: ['173.243.138.0/24'] }, [HIJACKED]],
    ['a relay', ['10.1.1.1'], { expected: [GOOD], relays: ['10.1.1.1'] }, [`${UNEXPECTED} relay`]],
    ['a relay, and a good address', [GOOD, '10.1.1.1'], { relays: ['10.1.1.1'] }, [`${UNEXPECTED} relay`]],
    [
      'a relay, and a private address that is none',
      ['10.1.1.1', '10.1.1.2'],
      { expected: [GOOD], relays: ['10.1.1.1'] },
      [HIJACKED, `${UNEXPECTED} relay`],
    ],
  ])('%s', (_, addresses, known, expected) => {
    expect(brief(judge([seen(answer(addresses))], known))).toEqual(expected);
  });

  test('still dials an unexpected public address, and never a hijacked one', () => {
    const { addresses } = judge([seen(answer([OTHER, '10.1.1.1']))], { expected: ['173.243.138.0/24'] });
    expect(addresses).toEqual([OTHER]);
  });
});

describe('judgeDns() with several resolvers', () => {
  const second = (a: DnsReply, aaaa?: DnsReply): DnsObservation => seen(a, aaaa, UDP);
  const third = (a: DnsReply): DnsObservation => seen(a, answer([]), 'third');
  const other = answer([OTHER]);
  const offline = failed('no-route');

  test.each<readonly [string, readonly DnsObservation[], readonly string[]]>([
    ['agreeing', [seen(good), second(good)], []],
    ['overlapping', [seen(answer([GOOD, OTHER])), second(good)], []],
    ['one silent', [seen(good), second(SILENCE, SILENCE)], [SLIGHT]],
    ['one SERVFAIL', [seen(SERVFAIL), second(good)], [SLIGHT]],
    ['both silent', [seen(SILENCE, SILENCE), second(failed('refused'))], [UNREACHABLE, UNREACHABLE]],
    ['one without a route', [seen(good), second(offline, offline)], [ASIDE]],
    ['one NXDOMAIN', [seen(good), second(NXDOMAIN)], [NOT_FOUND]],
    ['silence beside a lie', [seen(SILENCE, SILENCE), second(LIE)], [UNREACHABLE, HIJACKED]],
    ['disagreeing', [seen(good), second(other)], [DISAGREE]],
    ['disagreeing beside silence', [seen(SILENCE, SILENCE), second(good), third(other)], [SLIGHT, DISAGREE]],
    ['disagreeing while one fails half', [seen(good, SILENCE), second(other)], [ASIDE, DISAGREE]],
    ['disagreeing beside NXDOMAIN', [seen(NXDOMAIN), second(good), third(other)], [NOT_FOUND]],
    ['different families', [seen(good), second(answer([]), answer([V6]))], []],
    ['the same IPv4, another IPv6', [seen(good, answer([V6])), second(good, answer(['2606:4700::2']))], []],
    ['disagreeing because of a lie', [seen(good), second(LIE)], [HIJACKED]],
  ])('%s', (_, observations, expected) => {
    expect(brief(judge(observations))).toEqual(expected);
  });

  test('leaves disagreement to the list of expected addresses where there is one', () => {
    const two = [seen(good), second(answer(['173.243.138.91']))];
    expect(brief(judge(two, { expected: ['173.243.138.0/24'] }))).toEqual([]);
    expect(brief(judge(two, { expected: [GOOD] }))).toEqual([UNEXPECTED]);
  });

  test('says who disagrees, and on what', () => {
    const [finding] = judge([seen(good), second(other)]).findings;
    expect(finding?.facts).toEqual({ resolver: UDP });
    for (const named of [GOOD, UDP, OTHER]) expect(finding?.claim).toContain(named);
  });

  test('dials the union, IPv4 first, each once, 16 at most', () => {
    const many = Array.from({ length: 20 }, (_, index) => `198.41.0.${String(index + 1)}`);
    const union = judge([seen(good, answer([V6])), second(answer([GOOD, OTHER]))]);
    expect(union.addresses).toEqual([GOOD, OTHER, V6]);
    expect(judge([seen(answer(many))]).addresses).toEqual(many.slice(0, 16));
    expect(judge([]).addresses).toEqual([]);
  });
});

describe('what a DNS64 makes of an IPv4 address', () => {
  const [OWN, LOCAL, STRANGE] = ['2620:101:9064::adf3:8a54', 'fd00:64::adf3:8a54', 'fd00:64::1'] as const;

  type Given = readonly string[];

  test.each<[string, a: Given, aaaa: Given, expected: Given, ...findings: string[]]>([
    ["is expected as that is, under a prefix of the network's own", [GOOD], [OWN], [GOOD]],
    ['is no private address under a private prefix', [GOOD], [LOCAL], [GOOD]],
    ['is known by what is expected, where the answer leaves IPv4 out', [], [LOCAL], [GOOD]],
    ['is public as that is where nothing is expected', [GOOD], [LOCAL], []],
    ['is unexpected, once', [OTHER], ['fd00:64::c629:4'], [GOOD], `answer-expected ${OTHER}`],
    ['is a false address, once', ['10.0.0.1'], ['2620:101:9064::a00:1'], [], 'answer-acceptable 10.0.0.1'],
    ['is not what only looks like it', [GOOD], [STRANGE], [GOOD], `answer-acceptable ${STRANGE}`],
  ])('%s', (_, a, aaaa, expected, ...wanted) => {
    const { findings, addresses } = judge([seen(answer(a), answer(aaaa))], { expected });
    expect(findings.map(({ rule, facts }) => `${rule} ${facts?.address ?? '-'}`)).toEqual(wanted);
    const isFalse = wanted.some((finding) => finding.startsWith('answer-acceptable'));
    expect(addresses).toEqual(isFalse ? a.filter((address) => address === GOOD) : [...a, ...aaaa]);
  });
});

/** Returns the same reply for both families, but with addresses only for IPv4. */
function asked(a: DnsReply, resolver = UDP, name = HOST): DnsObservation {
  return { resolver, name, a, aaaa: a.kind === 'answer' ? { ...a, addresses: [] } : a };
}

describe('what a resolver says of other names, and of its reasons', () => {
  /** The same resolver's reply for an unrelated name. */
  const unrelated = (reply: DnsReply, resolver = UDP): Partial<OtherNames> => ({
    others: [asked(reply, resolver, 'www.iana.org')],
  });
  const ofOwner = (reply: DnsReply): Partial<OtherNames> => ({ others: [asked(reply, UDP, 'www.fortinet.com')] });
  const ANSWERS = unrelated(answer(['192.0.43.8']));
  const absolute = (...addresses: readonly string[]): Partial<OtherNames> => ({
    absolute: asked(answer(addresses), 'system', `${HOST}.`),
  });
  const parked = answer([PARKED]);
  const shared = (resolver: string): Partial<OtherNames> => ({ ...unrelated(parked, resolver), shared: [PARKED] });

  test.each<[string, DnsReply, Partial<OtherNames>, string, resolver?: string]>([
    ['SERVFAIL, and nothing else is known', SERVFAIL, {}, UNREACHABLE],
    ['SERVFAIL, other names answered', SERVFAIL, ANSWERS, UNREACHABLE],
    ['REFUSED for every name', REFUSED, unrelated(REFUSED), UNREACHABLE],
    ['NXDOMAIN, and other names are answered', NXDOMAIN, ANSWERS, NOT_FOUND],
    ['NXDOMAIN for every name', NXDOMAIN, unrelated(NXDOMAIN), NOT_FOUND],
    ['a private address, and other names are answered', LIE, ANSWERS, HIJACKED],
    ['the address of other names of another resolver', parked, shared('system'), `${HIJACKED} shared-address`],
    ['an unexpected address that no other name has', parked, ANSWERS, UNEXPECTED],
    ['an address of this machine', LIE, absolute(GOOD), `${HIJACKED} local-name`, 'system'],
    ['a public address of this machine', parked, absolute(GOOD), `${UNEXPECTED} local-name`, 'system'],
    ['an address that DNS gives as well', LIE, absolute('10.0.0.1'), HIJACKED, 'system'],
    ['DNS was silent to the other question', LIE, { absolute: asked(SILENCE, 'system') }, HIJACKED, 'system'],
    ['an address of another resolver than this machine', LIE, absolute(GOOD), HIJACKED],
  ])('%s', (_, own, others, expected, resolver = UDP) => {
    const judged = judge([asked(own, resolver)], { others, expected: [GOOD] });
    expect(brief(judged)).toEqual([expected]);
    expect(judged.findings[0]?.confidence).toBe(expected.endsWith('local-name') ? 'suspected' : undefined);
  });

  test('an address that other names have as well is false, and the others stay', () => {
    const judged = judge([seen(answer([GOOD, PARKED]), failed('aborted'))], { others: { shared: [PARKED] } });
    expect(brief(judged)).toEqual([HIJACKED, ASIDE]);
    expect(judged.findings[0]?.facts?.address).toBe(PARKED);
  });

  /** What a finding without an answer says is recorded for each code. */
  test.each([0, 1, 3, 4, 6, 13, 15, 16, 17, 18, 22, 23, 24, 4711])('the extended error %i of an answer', (code) => {
    const replies = [
      answer(['10.0.0.1'], 'NOERROR', code),
      answer([], 'NXDOMAIN', code),
      answer([PARKED], 'NOERROR', code),
    ];
    const findings = replies.flatMap((own) => judge([asked(own)], { others: ANSWERS, expected: [GOOD] }).findings);
    const filtered = [4, 15, 16, 17].includes(code) ? 'filtered' : undefined;
    const told: readonly (readonly [NameCause, string | undefined])[] = [
      ['answer-hijacked', filtered],
      ['name-not-found', filtered],
      ['answer-unexpected', undefined],
    ];
    expect(findings.map(({ suggests, kind }) => [suggests, kind])).toEqual(told);
    for (const { quote } of findings) expect(quote).toMatch(/ by list 7$/u);
  });

  test.each<readonly [readonly number[], quoted: number, kind: string | undefined]>([
    [[13, 22, 6], 13, undefined],
    [[13, 17, 15], 17, 'filtered'],
  ])('of the extended errors %j, %i is told', (codes, quoted, kind) => {
    const [finding] = judge([asked(answer([], 'SERVFAIL', ...codes))]).findings;
    expect([finding?.kind, finding?.quote]).toEqual([kind, expect.stringContaining(` ${String(quoted)} (`)]);
  });

  test.each<readonly [string, Partial<OtherNames>, string]>([
    ['an unrelated name that it answers', ANSWERS, 'answers for www.iana.org'],
    ['a name of the owner that it answers', ofOwner(answer(['54.177.212.176'])), 'answers for www.fortinet.com'],
    ['an unrelated name that it answers no more', unrelated(SERVFAIL), 'no address for www.iana.org'],
    ['nothing of a name of the owner that fails too', ofOwner(SERVFAIL), ''],
    ['nothing of the answer of another resolver', unrelated(answer(['192.0.43.8']), 'system'), ''],
  ])('beside the error of a resolver stands %s', (_, others, said) => {
    const [alone, compared] = [{}, others].map(
      (given) => judge([asked(SERVFAIL)], { others: given }).findings[0]?.claim,
    );
    expect(compared).toContain(said);
    expect(compared === alone).toBe(said === '');
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
    const [finding] = judge([asked(failed(reason), resolver)]).findings;
    expect([finding?.suggests, finding?.kind]).toEqual(['resolver-unreachable', kind]);
  });

  test('no remedy for a resolver over TLS speaks of port 53 to it', () => {
    const told = ['untrusted', 'encrypted'].flatMap(
      (kind) => wordsFor(NAME_CAUSES['resolver-unreachable'], { kind }).remedy,
    );
    expect(told.length).toBeGreaterThan(2);
    expect(JSON.stringify(told)).not.toMatch(/port 53 to|dig /u);
  });
});

describe('the family that is asked for', () => {
  const NAT64 = '64:ff9b::adf3:8a54';

  test.each<readonly ['auto' | 4 | 6, readonly string[], isMissing: boolean]>([
    ['auto', [V6], false],
    ['auto', [GOOD], false],
    [4, [GOOD, V6], false],
    [4, [NAT64], false],
    [6, [V6], false],
    // A name without any address is reported as a separate finding.
    [4, [], false],
    [4, [V6], true],
    [6, [GOOD], true],
    [6, [NAT64], true],
  ])('%s, and the name has %j: missing %s', async (family, addresses, isMissing) => {
    const { licenseServer } = await configOf({ licenseServer: { host: 'license.example.test', family } });
    const isV6 = (address: string): boolean => address.includes(':');
    const ipv4 = answer(addresses.filter((address) => !isV6(address)));
    const names = [seen(ipv4, answer(addresses.filter(isV6)), 'system', licenseServer.host)];
    const findings = judgedBy(nameResolution, { path: path({ host: licenseServer.host, names }), licenseServer });
    const told = { level: 'broken', suggests: 'name-not-found', subject: 'license.example.test:443' };
    expect(findings.filter(({ rule }) => rule === 'name-has-family')).toMatchObject(isMissing ? [told] : []);
  });
});
