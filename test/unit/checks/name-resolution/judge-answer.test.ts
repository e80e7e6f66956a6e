import { describe, expect, test } from 'vitest';
import type { DnsReply, FailureReason } from '../../../../src/core/observation.ts';
import { judgeDns as judgeDnsUnchecked } from '../../../../src/checks/name-resolution/judge.ts';
import { NO_OTHER_NAMES } from '../../../../src/checks/name-resolution/other-names.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const judgeDns = withPlainClaims(judgeDnsUnchecked);

const HOST = 'fortitokenmobile.fortinet.com';
const GOOD = '173.243.138.84';
const OTHER = '198.41.0.4';

interface Answered {
  readonly resolver?: string;
  readonly a: DnsReply;
  readonly aaaa: DnsReply;
}

/** Evaluates the answer of the only resolver. */
function judge(
  { resolver = 'system', a, aaaa }: Answered,
  expectedAddresses: readonly string[] = [],
  shared: readonly string[] = [],
): ReturnType<typeof judgeDns> {
  const observations = [{ resolver, name: HOST, a, aaaa }];
  const others = { ...NO_OTHER_NAMES, shared };
  return judgeDns({ name: HOST, port: 443, expectedAddresses, observations, others, relays: [] });
}

function answer(addresses: readonly string[], rcode = 'NOERROR'): DnsReply {
  return { kind: 'answer', rcode, addresses, cnames: [], ttlSeconds: 60, durationMs: 3, attempts: 1 };
}

interface Row {
  readonly name: string;
  readonly a: DnsReply;
  readonly aaaa?: DnsReply;
  readonly expectedAddresses?: readonly string[];
  readonly told: readonly [expected: string, claim: string, address?: string];
}

const ROWS: readonly Row[] = [
  {
    name: 'a name that does not exist',
    a: answer([], 'NXDOMAIN'),
    told: [
      `an address for ${HOST} from system`,
      'The resolver of this system reports that the name does not exist (NXDOMAIN).',
    ],
  },
  {
    name: 'a name without an address',
    a: answer([]),
    told: [
      `an address for ${HOST} from system`,
      'The resolver of this system returns neither an A nor an AAAA record for the name.',
    ],
  },
  {
    name: 'no answer',
    a: answer([], 'SERVFAIL'),
    told: [`an address of ${HOST}`, 'The resolver of this system answered the query with the error SERVFAIL.'],
  },
  {
    name: 'half an answer',
    a: answer([], 'REFUSED'),
    aaaa: answer(['2606:4700::1']),
    told: [
      `an answer to the A query for ${HOST}`,
      'The resolver of this system answered the A query with the error REFUSED.',
    ],
  },
  {
    name: 'an answer but for IPv6',
    a: answer([GOOD]),
    aaaa: answer([], 'REFUSED'),
    told: [
      `an answer to the AAAA query for ${HOST}`,
      'The resolver of this system answered the AAAA query with the error REFUSED.',
    ],
  },
  {
    name: 'an address that is not expected',
    a: answer([GOOD, OTHER]),
    expectedAddresses: [GOOD],
    told: [
      `an address within ${GOOD} from system`,
      `The resolver of this system answers with ${OTHER}, which is not an expected address.`,
      OTHER,
    ],
  },
  {
    name: 'what no host outside has',
    a: answer(['10.0.0.1', '127.0.0.1', '0.0.0.0', '169.254.1.1', '240.0.0.1']),
    told: [
      'a public address from system',
      'The resolver of this system answers with 10.0.0.1, a private address; 127.0.0.1, a loopback address and 3 more.',
      '10.0.0.1',
    ],
  },
];

test.each(ROWS)('tells of $name', ({ a, aaaa = answer([]), expectedAddresses = [], told }) => {
  const [finding] = judge({ a, aaaa }, expectedAddresses).findings;
  const [expected, claim, address] = told;
  expect(finding).toMatchObject({ expected, claim });
  expect(finding?.facts).toEqual(address === undefined ? { resolver: 'system' } : { resolver: 'system', address });
});

function failed(reason: FailureReason, truncated = false): DnsReply {
  return {
    kind: 'failed',
    reason,
    message: `it was ${reason}`,
    durationMs: 5,
    attempts: 1,
    ...(truncated ? { truncated } : {}),
  };
}

describe('a claim', () => {
  const said = (a: DnsReply, aaaa: DnsReply, shared: readonly string[] = []) =>
    judge({ resolver: 'udp://10.0.0.53:53', a, aaaa }, [], shared);

  test.each<readonly [string, DnsReply, DnsReply, string]>([
    ['no name', answer([], 'NXDOMAIN'), answer([], 'NXDOMAIN'), 'reports that the name does not exist (NXDOMAIN).'],
    ['no address', answer([]), answer([]), 'returns neither an A nor an AAAA record for the name.'],
    ['an error', answer([], 'SERVFAIL'), answer([]), 'answered the query with the error SERVFAIL.'],
    ['silence', failed('timeout'), failed('timeout'), 'did not answer the query (timeout).'],
    ['half of it silence', failed('timeout'), answer(['2606:4700::1']), 'did not answer the A query (timeout).'],
    ['half of it an error', answer([GOOD]), answer([], 'SERVFAIL'), 'answered the AAAA query with the error SERVFAIL.'],
    [
      'cut short',
      failed('refused', true),
      failed('refused', true),
      'truncated its answer over UDP and did not answer over TCP (refused).',
    ],
    [
      'two that no server has',
      answer(['10.0.0.1', '208.91.112.55']),
      answer([]),
      'answers with 10.0.0.1, a private address; 208.91.112.55, the block page of FortiGuard DNS filter.',
    ],
  ])('of %s', (...[, a, aaaa, claim]) => {
    expect(said(a, aaaa).findings.map((finding) => finding.claim)).toEqual([
      `The resolver udp://10.0.0.53:53 ${claim}`,
    ]);
  });

  test('is none where the name has no record of the other family, whichever way that is said', () => {
    expect(said(answer([GOOD]), answer([], 'NXDOMAIN')).findings).toEqual([]);
  });

  test('an address that other names have as well is false, and the others stay', () => {
    const { findings } = said(answer([GOOD, OTHER]), failed('aborted'), [OTHER]);
    expect(findings.map(({ rule, level, claim }) => [rule, level, claim])).toEqual([
      ['answer-acceptable', 'broken', `The resolver udp://10.0.0.53:53 answers with ${OTHER}, a public address.`],
      ['resolver-answers', 'note', 'The resolver udp://10.0.0.53:53 did not answer the AAAA query (aborted).'],
    ]);
  });
});

describe('what a DNS64 makes of an IPv4 address', () => {
  const [OWN, LOCAL, STRANGE] = ['2620:101:9064::adf3:8a54', 'fd00:64::adf3:8a54', 'fd00:64::1'] as const;

  test.each<
    readonly [string, readonly string[], readonly string[], readonly string[], readonly (readonly [string, string])[]]
  >([
    ["is expected as that is, under a prefix of the network's own", [GOOD], [OWN], [GOOD], []],
    ['is no private address under a private prefix', [GOOD], [LOCAL], [GOOD], []],
    ['is known by what is expected, where the answer leaves IPv4 out', [], [LOCAL], [GOOD], []],
    ['is public as that is where nothing is expected', [GOOD], [LOCAL], [], []],
    [
      'is unexpected as that is, and told once',
      [OTHER],
      ['fd00:64::c629:4'],
      [GOOD],
      [['answer-expected', `The resolver of this system answers with ${OTHER}, which is not an expected address.`]],
    ],
    [
      'is a false address as that is, and told once',
      ['10.0.0.1'],
      ['2620:101:9064::a00:1'],
      [],
      [['answer-acceptable', 'The resolver of this system answers with 10.0.0.1, a private address.']],
    ],
    [
      'is not what only looks like it',
      [GOOD],
      [STRANGE],
      [GOOD],
      [['answer-acceptable', `The resolver of this system answers with ${STRANGE}, a private address.`]],
    ],
  ])('%s', (...[, a, aaaa, expectedAddresses, told]) => {
    const { findings, addresses } = judge({ a: answer(a), aaaa: answer(aaaa) }, expectedAddresses);
    expect(findings.map(({ rule, claim }) => [rule, claim])).toEqual(told);
    const isFalse = told.some(([rule]) => rule === 'answer-acceptable');
    expect(addresses).toEqual(isFalse ? a.filter((address) => address === GOOD) : [...a, ...aaaa]);
  });
});
