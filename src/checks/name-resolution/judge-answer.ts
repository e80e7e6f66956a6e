import type { NameCause, NAME_CAUSES } from './causes.ts';
import {
  addressInAny,
  classifyAddress,
  singleAddresses,
  sinkholeOwner,
  translatedFrom,
  uniqueAddresses,
  type AddressClass,
  hostOf,
} from '../../core/addresses.ts';
import { nameList } from '../../core/phrases.ts';
import { oncePer } from '../../core/once-per.ts';
import { explainAnswer, type OtherNames } from './other-names.ts';
import { type Finding, known, note, type Told } from '../../engine/model.ts';
import { type DnsObservation, type DnsReply, type FailureReason, isOfThisMachine } from '../../core/observation.ts';

interface AnswerCase {
  /** As `host:port`. */
  readonly subject: string;
  readonly expectedAddresses: readonly string[];
  readonly othersAnswer: boolean;
  readonly others: OtherNames;
}

export interface JudgedAnswer {
  readonly resolver: string;
  readonly findings: readonly Finding<NameCause>[];
  readonly acceptable: readonly string[];
  /** True if all addresses are expected addresses. */
  readonly confirmed: boolean;
}

interface SortedAddresses {
  readonly acceptable: readonly string[];
  readonly hijacked: readonly string[];
  readonly unexpected: readonly string[];
}

/** A DNS answer can contain dozens of addresses. */
const MOST_SHOWN = 5;

const WHAT_IT_IS: Readonly<Record<AddressClass, string>> = {
  public: 'a public address',
  private: 'a private address',
  loopback: 'a loopback address',
  'link-local': 'a link-local address',
  unspecified: 'the unspecified address',
  bogon: 'an address that is not used on the public internet',
  sinkhole: 'a sinkhole',
};

export function judgeAnswer(observation: DnsObservation, context: AnswerCase): JudgedAnswer {
  const sorted = apartFrom(context.others.shared, sortedBy(context.expectedAddresses)(observation));
  const any = sorted.acceptable.length + sorted.hijacked.length > 0;
  const findings = any
    ? [...judgeAddresses(observation, sorted, context), ...judgeHalfAnswer(observation, context)]
    : [judgeNoAddress(observation, context)];
  return {
    resolver: observation.resolver,
    findings: findings.map((finding) => explainAnswer(finding, observation, context.others)),
    acceptable: sorted.acceptable,
    confirmed: context.expectedAddresses.length > 0 && sorted.unexpected.length === 0,
  };
}

/** An address to which unrelated names resolve does not belong to the server. */
function apartFrom(shared: readonly string[], sorted: SortedAddresses): SortedAddresses {
  const found = sorted.acceptable.filter((address) => shared.includes(address));
  if (found.length === 0) return sorted;
  const isOwn = (address: string): boolean => !found.includes(address);
  return {
    acceptable: sorted.acceptable.filter(isOwn),
    hijacked: [...sorted.hijacked, ...found],
    unexpected: sorted.unexpected.filter(isOwn),
  };
}

/** Returns the addresses that ftm-watch connects to. Expected addresses are always acceptable. */
export function acceptableAddresses(
  observation: DnsObservation,
  expectedAddresses: readonly string[],
): readonly string[] {
  return sortedBy(expectedAddresses)(observation).acceptable;
}

/** Cached, because each round sorts the addresses twice: before it connects, and when it evaluates the DNS answers. */
const sortedBy = oncePer((expectedAddresses: readonly string[]) =>
  oncePer(({ a, aaaa }: DnsObservation): SortedAddresses => {
    const all = uniqueAddresses([a, aaaa].flatMap((reply) => (reply.kind === 'answer' ? reply.addresses : [])));
    // An address that DNS64 derived from an IPv4 address is acceptable if the IPv4 address is acceptable.
    const sameName = [...all, ...singleAddresses(expectedAddresses)];
    const origins = new Map(all.map((address) => [address, translatedFrom(address, sameName)]));
    const original = (address: string): string => origins.get(address) ?? address;
    const isOwn = (address: string): boolean => original(address) === address;
    const expected = all.filter((address) =>
      [address, original(address)].some((each) => addressInAny(each, expectedAddresses)),
    );
    const unexpected = all.filter(
      (address) => !expected.includes(address) && classifyAddress(original(address)) === 'public',
    );
    const acceptable = all.filter((address) => expected.includes(address) || unexpected.includes(address));
    return {
      acceptable,
      hijacked: all.filter((address) => !acceptable.includes(address) && isOwn(address)),
      unexpected: expectedAddresses.length === 0 ? [] : unexpected.filter(isOwn),
    };
  }),
);

function judgeAddresses(
  { resolver }: DnsObservation,
  { hijacked, unexpected }: SortedAddresses,
  context: AnswerCase,
): readonly Finding<NameCause>[] {
  return [
    ...(hijacked.length === 0 ? [] : [hijackedFinding(resolver, hijacked, context)]),
    ...(unexpected.length === 0 ? [] : [unexpectedFinding(resolver, unexpected, context)]),
  ];
}

function hijackedFinding(resolver: string, addresses: readonly string[], { subject }: AnswerCase): Finding<NameCause> {
  const product = addresses.map(sinkholeOwner).find((owner) => owner !== null);
  const described = addresses.map((address) => `${address}, ${describe(address)}`);
  return {
    rule: 'answer-acceptable',
    subject,
    claim: `${resolverNamed(resolver)} answers with ${nameList(described, 3, '; ')}.`,
    expected: `a public address from ${resolver}`,
    level: 'broken',
    suggests: 'answer-hijacked',
    facts: known({ resolver, address: addresses[0], product }),
  };
}

function unexpectedFinding(
  resolver: string,
  addresses: readonly string[],
  { subject, expectedAddresses }: AnswerCase,
): Finding<NameCause> {
  const given = nameList(addresses, MOST_SHOWN);
  return {
    rule: 'answer-expected',
    subject,
    claim: `${resolverNamed(resolver)} answers with ${given}, which is not an expected address.`,
    expected: `an address within ${nameList(expectedAddresses, MOST_SHOWN)} from ${resolver}`,
    level: 'warning',
    suggests: 'answer-unexpected',
    facts: known({ resolver, address: addresses[0] }),
  };
}

function describe(address: string): string {
  const owner = sinkholeOwner(address);
  return owner === null ? WHAT_IT_IS[classifyAddress(address) ?? 'bogon'] : `the block page of ${owner}`;
}

/** Only a failed A query is a fault, because FortiAuthenticator uses IPv4. */
function judgeHalfAnswer({ resolver, a, aaaa }: DnsObservation, context: AnswerCase): readonly Finding<NameCause>[] {
  const harmful = !isUsable(a);
  const [failed, type] = harmful ? ([a, 'A'] as const) : ([aaaa, 'AAAA'] as const);
  if (isUsable(failed)) return [];
  const told = {
    rule: 'resolver-answers',
    subject: resolver,
    ...claimOfReply(resolver, failed, `the ${type} query`),
    expected: `an answer to the ${type} query for ${hostOf(context.subject)}`,
    facts: { resolver },
  };
  return harmful && !isOurs(failed)
    ? [{ ...told, level: 'warning', suggests: 'resolver-unreachable', ...kindOf(failed) }]
    : [note(told)];
}

function judgeNoAddress(observation: DnsObservation, context: AnswerCase): Finding<NameCause> {
  const { resolver, a, aaaa } = observation;
  const replies = [a, aaaa];
  const missing = replies.find((reply) => reply.kind === 'answer' && reply.rcode === 'NXDOMAIN');
  if (missing !== undefined || replies.every(isUsable)) {
    return {
      rule: 'name-exists',
      subject: context.subject,
      claim:
        missing === undefined
          ? `${resolverNamed(resolver)} returns neither an A nor an AAAA record for the name.`
          : `${resolverNamed(resolver)} reports that the name does not exist (NXDOMAIN).`,
      expected: `an address for ${hostOf(context.subject)} from ${resolver}`,
      // A second, working resolver does not help after a negative answer, because a stub resolver queries its next
      // server only if the first one does not answer.
      level: 'broken',
      suggests: 'name-not-found',
      facts: { resolver },
    };
  }
  const failed = isUsable(a) ? aaaa : a;
  return {
    rule: 'resolver-answers',
    subject: resolver,
    ...claimOfReply(resolver, failed, 'the query'),
    expected: `an address of ${hostOf(context.subject)}`,
    ...levelOfNoAnswer(failed, context),
    facts: { resolver },
  };
}

function levelOfNoAnswer(
  failed: DnsReply,
  { othersAnswer }: AnswerCase,
): Pick<Finding<NameCause>, 'level' | 'suggests' | 'kind'> {
  if (isOurs(failed)) return { level: othersAnswer ? 'note' : 'unknown', suggests: null };
  return { level: othersAnswer ? 'warning' : 'broken', suggests: 'resolver-unreachable', ...kindOf(failed) };
}

/** If the resolver responded over UDP, these failures mean that TCP is blocked. */
const SHUT: readonly FailureReason[] = ['timeout', 'refused', 'reset', 'closed', 'no-route'];

function isCutShort(reply: DnsReply): boolean {
  return reply.kind === 'failed' && reply.truncated === true && SHUT.includes(reply.reason);
}

function kindOf(reply: DnsReply): { readonly kind?: keyof (typeof NAME_CAUSES)['resolver-unreachable']['kinds'] } {
  return isCutShort(reply) ? { kind: 'tcp-blocked' } : {};
}

function isUsable(reply: DnsReply): boolean {
  return reply.kind === 'answer' && (reply.rcode === 'NOERROR' || reply.rcode === 'NXDOMAIN');
}

function isOurs(reply: DnsReply): boolean {
  return reply.kind === 'failed' && isOfThisMachine(reply.reason) && !isCutShort(reply);
}

/** @param question such as `the A query` */
function claimOfReply(resolver: string, reply: DnsReply, question: string): Pick<Told, 'claim' | 'quote'> {
  const by = resolverNamed(resolver);
  if (reply.kind === 'answer') return { claim: `${by} answered ${question} with the error ${reply.rcode}.` };
  const claim = isCutShort(reply)
    ? `${by} truncated its answer over UDP and did not answer over TCP (${reply.reason}).`
    : `${by} did not answer ${question} (${reply.reason}).`;
  return { claim, quote: reply.message };
}

export function resolverNamed(resolver: string): string {
  return resolver === 'system' ? 'The resolver of this system' : `The resolver ${resolver}`;
}
