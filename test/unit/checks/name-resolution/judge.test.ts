import { describe, expect, test } from 'vitest';
import type { DnsObservation, DnsReply, FailureReason } from '../../../../src/core/observation.ts';
import { judgeDns as judgeDnsUnchecked } from '../../../../src/checks/name-resolution/judge.ts';
import { NO_OTHER_NAMES } from '../../../../src/checks/name-resolution/other-names.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

type DnsVerdict = ReturnType<typeof judgeDns>;

const judgeDns = withPlainClaims(judgeDnsUnchecked);

const HOST = 'fortitokenmobile.fortinet.com';
const GOOD = '173.243.138.84';

function answer(addresses: readonly string[], rcode = 'NOERROR'): DnsReply {
  return { kind: 'answer', rcode, addresses, cnames: [], ttlSeconds: 60, durationMs: 3, attempts: 1 };
}

function silence(reason: FailureReason, message = 'no'): DnsReply {
  return { kind: 'failed', reason, message, durationMs: 3000, attempts: 2 };
}

/** The answer over UDP was truncated. */
function cutShort(reason: FailureReason): DnsReply {
  return { kind: 'failed', reason, message: 'connect 10.0.0.53:53', durationMs: 40, attempts: 1, truncated: true };
}

function seen(a: DnsReply, aaaa: DnsReply = answer([]), resolver = 'system'): DnsObservation {
  return { resolver, name: HOST, a, aaaa };
}

function judge(
  observations: readonly DnsObservation[],
  expectedAddresses: readonly string[] = [],
  relays: readonly string[] = [],
): DnsVerdict {
  return judgeDns({ name: HOST, port: 443, expectedAddresses, observations, others: NO_OTHER_NAMES, relays });
}

function brief({ findings }: DnsVerdict): readonly string[] {
  return findings.map(({ rule, level, suggests }) => `${level} ${rule} ${suggests ?? '-'}`);
}

const second = 'udp://10.0.0.53:53';
const nothing: readonly string[] = [];

describe('judgeDns with a private address that presents the genuine certificate', () => {
  test.each<readonly [string, readonly string[], readonly string[]]>([
    ['alone', ['10.1.1.1'], ['warning answer-expected answer-unexpected relay']],
    ['and a good address', [GOOD, '10.1.1.1'], ['warning answer-expected answer-unexpected relay']],
    [
      'and a private address that does not',
      ['10.1.1.1', '10.1.1.2'],
      ['broken answer-acceptable answer-hijacked ', 'warning answer-expected answer-unexpected relay'],
    ],
  ])('%s', (_, addresses, expected) => {
    const { findings } = judge([seen(answer(addresses))], [GOOD], ['10.1.1.1']);
    expect(
      findings.map(({ kind = '', ...told }) => `${told.level} ${told.rule} ${told.suggests ?? '-'} ${kind}`),
    ).toEqual(expected);
  });
});

describe('judgeDns with one resolver', () => {
  test.each<[string, DnsReply, DnsReply, readonly string[]]>([
    ['a public address', answer([GOOD]), answer([]), nothing],
    ['both families', answer([GOOD]), answer(['2606:4700::1']), nothing],
    ['only IPv6', answer([]), answer(['2606:4700::1']), nothing],
    ['NXDOMAIN', answer([], 'NXDOMAIN'), answer([], 'NXDOMAIN'), ['broken name-exists name-not-found']],
    ['no record', answer([]), answer([]), ['broken name-exists name-not-found']],
    [
      'NXDOMAIN for A, silence for AAAA',
      answer([], 'NXDOMAIN'),
      silence('timeout'),
      ['broken name-exists name-not-found'],
    ],
    ['no A, silence for AAAA', answer([]), silence('timeout'), ['broken resolver-answers resolver-unreachable']],
    ['SERVFAIL', answer([], 'SERVFAIL'), answer([], 'SERVFAIL'), ['broken resolver-answers resolver-unreachable']],
    ['REFUSED', answer([], 'REFUSED'), answer([], 'REFUSED'), ['broken resolver-answers resolver-unreachable']],
    ['silence', silence('timeout'), silence('timeout'), ['broken resolver-answers resolver-unreachable']],
    ['a refused port', silence('refused'), silence('refused'), ['broken resolver-answers resolver-unreachable']],
    ['an untrusted certificate', silence('tls'), silence('tls'), ['broken resolver-answers resolver-unreachable']],
    ['a round that was called off', silence('aborted'), silence('aborted'), ['unknown resolver-answers -']],
    ['a bug of ours', silence('internal'), silence('internal'), ['unknown resolver-answers -']],
    ['no route', silence('no-route'), silence('no-route'), ['unknown resolver-answers -']],
    [
      'a truncated answer, and TCP refused',
      cutShort('refused'),
      cutShort('refused'),
      ['broken resolver-answers resolver-unreachable'],
    ],
    [
      'a truncated answer, and TCP rejected by ICMP',
      cutShort('no-route'),
      answer([]),
      ['broken resolver-answers resolver-unreachable'],
    ],
    ['a truncated answer, and the round called off', cutShort('aborted'), answer([]), ['unknown resolver-answers -']],
    ['a good A and a silent AAAA', answer([GOOD]), silence('timeout'), ['note resolver-answers -']],
    ['a good A and SERVFAIL for AAAA', answer([GOOD]), answer([], 'SERVFAIL'), ['note resolver-answers -']],
    [
      'a silent A and a good AAAA',
      silence('timeout'),
      answer(['2606:4700::1']),
      ['warning resolver-answers resolver-unreachable'],
    ],
    ['a private address', answer(['10.1.1.1']), answer([]), ['broken answer-acceptable answer-hijacked']],
    ['0.0.0.0', answer(['0.0.0.0']), answer(['::']), ['broken answer-acceptable answer-hijacked']],
    ['loopback', answer(['127.0.0.1']), answer([]), ['broken answer-acceptable answer-hijacked']],
    ['a sinkhole', answer(['208.91.112.55']), answer([]), ['broken answer-acceptable answer-hijacked']],
    [
      'a good and a private address',
      answer([GOOD, '10.1.1.1']),
      answer([]),
      ['broken answer-acceptable answer-hijacked'],
    ],
  ])('%s', (_, a, aaaa, expected) => {
    expect(brief(judge([seen(a, aaaa)]))).toEqual(expected);
  });

  test.each<readonly [string, DnsReply, DnsReply, string | undefined]>([
    ['TCP times out', cutShort('timeout'), answer([]), 'tcp-blocked'],
    ['TCP is refused', cutShort('refused'), answer([]), 'tcp-blocked'],
    ['TCP is reset', cutShort('reset'), answer([]), 'tcp-blocked'],
    ['TCP is closed', cutShort('closed'), answer([]), 'tcp-blocked'],
    [
      'TCP is refused, and the AAAA question was answered',
      cutShort('refused'),
      answer(['2606:4700::1']),
      'tcp-blocked',
    ],
    ['TCP works, but what it says is of no use', cutShort('protocol'), answer([]), undefined],
    ['UDP is silent', silence('timeout'), answer([]), undefined],
  ])('tells that TCP is blocked, and nothing else, where %s', (_, a, aaaa, kind) => {
    const [finding] = judge([seen(a, aaaa)]).findings;
    expect(finding?.kind).toBe(kind);
    expect(finding?.claim.includes('truncated its answer')).toBe(kind === 'tcp-blocked');
  });

  test('names the owner of a sinkhole', () => {
    expect(judge([seen(answer(['208.91.112.55']))]).findings).toMatchObject([
      {
        subject: `${HOST}:443`,
        expected: 'a public address from system',
        facts: { resolver: 'system', address: '208.91.112.55', product: 'FortiGuard DNS filter' },
      },
    ]);
  });

  test('shows the rcode and the failure', () => {
    expect(judge([seen(answer([], 'SERVFAIL'), answer([], 'SERVFAIL'))]).findings[0]).toMatchObject({
      subject: 'system',
    });
    expect(judge([seen(silence('refused', 'recv ECONNREFUSED'))]).findings[0]).toMatchObject({
      facts: { resolver: 'system' },
    });
  });
});

describe('judgeDns with a list of expected addresses', () => {
  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ['inside a block', [GOOD], ['173.243.138.0/24'], nothing],
    ['the address itself', [GOOD], [GOOD], nothing],
    ['outside', ['198.41.0.4'], ['173.243.138.0/24'], ['warning answer-expected answer-unexpected']],
    ['a private address that is expected', ['10.1.1.1'], ['10.0.0.0/8'], nothing],
    ['loopback that is expected', ['127.0.0.5'], ['127.0.0.0/8'], nothing],
    ['a sinkhole that is expected', ['208.91.112.55'], ['208.91.112.55'], nothing],
    ['a private address that is not', ['10.1.1.1'], ['173.243.138.0/24'], ['broken answer-acceptable answer-hijacked']],
  ])('%s', (_, addresses, expectedAddresses, expected) => {
    expect(brief(judge([seen(answer(addresses))], expectedAddresses))).toEqual(expected);
  });

  test('still dials an unexpected public address, and never a hijacked one', () => {
    expect(judge([seen(answer(['198.41.0.4', '10.1.1.1']))], ['173.243.138.0/24']).addresses).toEqual(['198.41.0.4']);
  });
});

describe('judgeDns with several resolvers', () => {
  test.each<[string, readonly DnsObservation[], readonly string[]]>([
    ['agreeing', [seen(answer([GOOD])), seen(answer([GOOD]), answer([]), second)], nothing],
    ['overlapping', [seen(answer([GOOD, '198.41.0.4'])), seen(answer([GOOD]), answer([]), second)], nothing],
    [
      'one silent',
      [seen(answer([GOOD])), seen(silence('timeout'), silence('timeout'), second)],
      ['warning resolver-answers resolver-unreachable'],
    ],
    [
      'one SERVFAIL',
      [seen(answer([], 'SERVFAIL')), seen(answer([GOOD]), answer([]), second)],
      ['warning resolver-answers resolver-unreachable'],
    ],
    [
      'both silent',
      [seen(silence('timeout'), silence('timeout')), seen(silence('refused'), silence('refused'), second)],
      ['broken resolver-answers resolver-unreachable', 'broken resolver-answers resolver-unreachable'],
    ],
    [
      'one without a route',
      [seen(answer([GOOD])), seen(silence('no-route'), silence('no-route'), second)],
      ['note resolver-answers -'],
    ],
    [
      'one NXDOMAIN',
      [seen(answer([GOOD])), seen(answer([], 'NXDOMAIN'), answer([]), second)],
      ['broken name-exists name-not-found'],
    ],
    [
      'silence beside a lie',
      [seen(silence('timeout'), silence('timeout')), seen(answer(['10.0.0.1']), answer([]), second)],
      ['broken resolver-answers resolver-unreachable', 'broken answer-acceptable answer-hijacked'],
    ],
    [
      'disagreeing',
      [seen(answer([GOOD])), seen(answer(['198.41.0.4']), answer([]), second)],
      ['warning resolvers-agree resolvers-disagree'],
    ],
    [
      'disagreeing beside a third that is silent',
      [
        seen(silence('timeout'), silence('timeout')),
        seen(answer([GOOD]), answer([]), second),
        seen(answer(['198.41.0.4']), answer([]), 'third'),
      ],
      ['warning resolver-answers resolver-unreachable', 'warning resolvers-agree resolvers-disagree'],
    ],
    [
      'disagreeing while one fails half',
      [seen(answer([GOOD]), silence('timeout')), seen(answer(['198.41.0.4']), answer([]), second)],
      ['note resolver-answers -', 'warning resolvers-agree resolvers-disagree'],
    ],
    [
      'disagreeing beside a third that does not know the name',
      [
        seen(answer([], 'NXDOMAIN')),
        seen(answer([GOOD]), answer([]), second),
        seen(answer(['198.41.0.4']), answer([]), 'third'),
      ],
      ['broken name-exists name-not-found'],
    ],
    ['different families', [seen(answer([GOOD])), seen(answer([]), answer(['2606:4700::1']), second)], nothing],
    [
      'the same IPv4, another IPv6',
      [seen(answer([GOOD]), answer(['2606:4700::1'])), seen(answer([GOOD]), answer(['2606:4700::2']), second)],
      nothing,
    ],
    [
      'disagreeing because of a lie',
      [seen(answer([GOOD])), seen(answer(['10.1.1.1']), answer([]), second)],
      ['broken answer-acceptable answer-hijacked'],
    ],
  ])('%s', (_, observations, expected) => {
    expect(brief(judge(observations))).toEqual(expected);
  });

  test('leaves disagreement to the list of expected addresses where there is one', () => {
    const two = [seen(answer([GOOD])), seen(answer(['173.243.138.91']), answer([]), second)];
    expect(brief(judge(two, ['173.243.138.0/24']))).toEqual([]);
    expect(brief(judge(two, [GOOD]))).toEqual(['warning answer-expected answer-unexpected']);
  });

  test('says who disagrees', () => {
    const { findings } = judge([seen(answer([GOOD])), seen(answer(['198.41.0.4']), answer([]), second)]);
    expect(findings[0]).toMatchObject({
      claim: `The resolver of this system returns ${GOOD}, but ${second} returns 198.41.0.4.`,
      expected: `at least one common address from system and ${second}`,
      facts: { resolver: second },
    });
  });

  test('dials the union, IPv4 first, each once, 16 at most', () => {
    const many = Array.from({ length: 20 }, (_, index) => `198.41.0.${String(index + 1)}`);
    expect(
      judge([seen(answer([GOOD]), answer(['2606:4700::1'])), seen(answer([GOOD, '198.41.0.4']), answer([]), second)])
        .addresses,
    ).toEqual([GOOD, '198.41.0.4', '2606:4700::1']);
    expect(judge([seen(answer(many))]).addresses).toEqual(many.slice(0, 16));
    expect(judge([]).addresses).toEqual([]);
  });
});
