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

type Row = [name: string, a: DnsReply, aaaa: DnsReply, rule: string, address?: string];

test.each<Row>([
  ['a name that does not exist', answer([], 'NXDOMAIN'), answer([]), 'name-exists'],
  ['a name without an address', answer([]), answer([]), 'name-exists'],
  ['no answer', answer([], 'SERVFAIL'), answer([]), 'resolver-answers'],
  ['half an answer', answer([], 'REFUSED'), answer(['2606:4700::1']), 'resolver-answers'],
  ['an answer but for IPv6', answer([GOOD]), answer([], 'REFUSED'), 'resolver-answers'],
  ['an address that is not expected', answer([GOOD, OTHER]), answer([]), 'answer-expected', OTHER],
  ['what no host outside has', answer(['10.0.0.1', '127.0.0.1']), answer([]), 'answer-acceptable', '10.0.0.1'],
])('names the resolver and the address: %s', (_, a, aaaa, rule, address) => {
  const [finding] = judge({ a, aaaa }, rule === 'answer-expected' ? [GOOD] : []).findings;
  expect(finding?.rule).toBe(rule);
  expect(finding?.facts).toEqual(address === undefined ? { resolver: 'system' } : { resolver: 'system', address });
});

function failed(reason: FailureReason): DnsReply {
  return { kind: 'failed', reason, message: `it was ${reason}`, durationMs: 5, attempts: 1 };
}

describe('a finding', () => {
  const said = (a: DnsReply, aaaa: DnsReply, shared: readonly string[] = []) =>
    judge({ resolver: 'udp://10.0.0.53:53', a, aaaa }, [], shared);

  test('is none where the name has no record of the other family, whichever way that is said', () => {
    expect(said(answer([GOOD]), answer([], 'NXDOMAIN')).findings).toEqual([]);
  });

  test('an address that other names have as well is false, and the others stay', () => {
    const { findings } = said(answer([GOOD, OTHER]), failed('aborted'), [OTHER]);
    expect(findings.map(({ rule, level, facts }) => [rule, level, facts?.address])).toEqual([
      ['answer-acceptable', 'broken', OTHER],
      ['resolver-answers', 'note', undefined],
    ]);
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
    const { findings, addresses } = judge({ a: answer(a), aaaa: answer(aaaa) }, expected);
    expect(findings.map(({ rule, facts }) => `${rule} ${facts?.address ?? '-'}`)).toEqual(wanted);
    const isFalse = wanted.some((finding) => finding.startsWith('answer-acceptable'));
    expect(addresses).toEqual(isFalse ? a.filter((address) => address === GOOD) : [...a, ...aaaa]);
  });
});
