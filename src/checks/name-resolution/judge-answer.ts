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
  /** `host:port` that the name is wanted for. */
  readonly subject: string;
  readonly expectedAddresses: readonly string[];
  /** Another resolver gives an acceptable address. */
  readonly othersAnswer: boolean;
  readonly others: OtherNames;
}

export interface JudgedAnswer {
  readonly resolver: string;
  readonly findings: readonly Finding<NameCause>[];
  readonly acceptable: readonly string[];
  /** Every address is one that the configuration expects. */
  readonly confirmed: boolean;
}

interface SortedAddresses {
  readonly acceptable: readonly string[];
  readonly hijacked: readonly string[];
  /** Acceptable, but outside the configured list. */
  readonly unexpected: readonly string[];
}

/** Enough to recognise the pattern; an answer may hold dozens. */
const MOST_SHOWN = 5;

const WHAT_IT_IS: Readonly<Record<AddressClass, string>> = {
  public: 'a public address',
  private: 'a private address',
  loopback: 'a loopback address',
  'link-local': 'a link-local address',
  unspecified: 'the unspecified address',
  bogon: 'not an address of the public internet',
  sinkhole: 'a sinkhole',
};

/** Judges what one resolver said. */
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

/** An address that every name has is no address of the server. */
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

/** Those of both families that may be dialled. What the configuration expects is acceptable, whatever it is. */
export function acceptableAddresses(
  observation: DnsObservation,
  expectedAddresses: readonly string[],
): readonly string[] {
  return sortedBy(expectedAddresses)(observation).acceptable;
}

/** Asked for more than once in each round: before the addresses are dialled, and when the answer is judged. */
const sortedBy = oncePer((expectedAddresses: readonly string[]) =>
  oncePer(({ a, aaaa }: DnsObservation): SortedAddresses => {
    const all = uniqueAddresses([a, aaaa].flatMap((reply) => (reply.kind === 'answer' ? reply.addresses : [])));
    // What a DNS64 makes of an IPv4 address is as good as that one, and wrong for the same reason.
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
    claim: `${resolverNamed(resolver)} answers with ${given}, which is not among the expected addresses.`,
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

/**
 * One family has addresses and the other question failed. FortiAuthenticator dials IPv4, so only a failed A question
 * harms.
 */
function judgeHalfAnswer({ resolver, a, aaaa }: DnsObservation, context: AnswerCase): readonly Finding<NameCause>[] {
  const harmful = !isUsable(a);
  const [failed, type] = harmful ? ([a, 'A'] as const) : ([aaaa, 'AAAA'] as const);
  if (isUsable(failed)) return [];
  const told = {
    rule: 'resolver-answers',
    subject: resolver,
    ...claimOfReply(resolver, failed, `the ${type} question`),
    expected: `an answer to the ${type} question for ${hostOf(context.subject)}`,
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
          ? `${resolverNamed(resolver)} knows the name but no address of it, neither A nor AAAA.`
          : `${resolverNamed(resolver)} says that there is no such name (NXDOMAIN).`,
      expected: `${resolver} knows an address of ${hostOf(context.subject)}`,
      // A stub resolver asks its next server after silence only, never after a negative answer: a second, good resolver
      // does not help.
      level: 'broken',
      suggests: 'name-not-found',
      facts: { resolver },
    };
  }
  const failed = isUsable(a) ? aaaa : a;
  return {
    rule: 'resolver-answers',
    subject: resolver,
    ...claimOfReply(resolver, failed, 'the question'),
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

/** How TCP fails that nobody lets through; the resolver itself was there, over UDP. */
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

/** @param question what was asked: `the A question` */
function claimOfReply(resolver: string, reply: DnsReply, question: string): Pick<Told, 'claim' | 'quote'> {
  const by = resolverNamed(resolver);
  if (reply.kind === 'answer') return { claim: `${by} answered ${question} with the error ${reply.rcode}.` };
  const claim = isCutShort(reply)
    ? `${by} cut its answer short over UDP and gave none over TCP (${reply.reason}).`
    : `${by} did not answer ${question} (${reply.reason}).`;
  return { claim, quote: reply.message };
}

/** A resolver at the beginning of a sentence: `The resolver udp://10.0.0.53:53`. */
export function resolverNamed(resolver: string): string {
  return resolver === 'system' ? 'The resolver of this system' : `The resolver ${resolver}`;
}
