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
  /** The `host:port` for which the name is resolved. */
  readonly subject: string;
  readonly expectedAddresses: readonly string[];
  /** Another resolver returns an acceptable address. */
  readonly othersAnswer: boolean;
  readonly others: OtherNames;
}

export interface JudgedAnswer {
  readonly resolver: string;
  readonly findings: readonly Finding<NameCause>[];
  readonly acceptable: readonly string[];
  /** All addresses are expected by the configuration. */
  readonly confirmed: boolean;
}

interface SortedAddresses {
  readonly acceptable: readonly string[];
  readonly hijacked: readonly string[];
  /** Acceptable addresses that are not in the configured list. */
  readonly unexpected: readonly string[];
}

/** Enough to recognize the pattern. An answer can contain dozens of addresses. */
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

/** Excludes addresses that are shared by unrelated names, because they are not addresses of the server. */
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

/**
 * Returns the addresses of both families that can be dialled. Addresses expected by the configuration are always
 * acceptable.
 */
export function acceptableAddresses(
  observation: DnsObservation,
  expectedAddresses: readonly string[],
): readonly string[] {
  return sortedBy(expectedAddresses)(observation).acceptable;
}

/** Used more than once in each round: before the addresses are dialled, and when the answer is judged. */
const sortedBy = oncePer((expectedAddresses: readonly string[]) =>
  oncePer(({ a, aaaa }: DnsObservation): SortedAddresses => {
    const all = uniqueAddresses([a, aaaa].flatMap((reply) => (reply.kind === 'answer' ? reply.addresses : [])));
    // An address that DNS64 derived from an IPv4 address is as good as that address, and wrong for the same reason.
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
 * Judges an answer with addresses in one family and a failure in the other. FortiAuthenticator uses IPv4, so only a
 * failed A query does harm.
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
      // A stub resolver asks its next server only after silence, never after a negative answer, so a second, good
      // resolver does not help.
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

/** TCP failures that mean that it is blocked. The resolver itself responded over UDP. */
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

/** @param question name of the query: `the A question` */
function claimOfReply(resolver: string, reply: DnsReply, question: string): Pick<Told, 'claim' | 'quote'> {
  const by = resolverNamed(resolver);
  if (reply.kind === 'answer') return { claim: `${by} answered ${question} with the error ${reply.rcode}.` };
  const claim = isCutShort(reply)
    ? `${by} cut its answer short over UDP and gave none over TCP (${reply.reason}).`
    : `${by} did not answer ${question} (${reply.reason}).`;
  return { claim, quote: reply.message };
}

/** Returns a resolver for the beginning of a sentence: `The resolver udp://10.0.0.53:53`. */
export function resolverNamed(resolver: string): string {
  return resolver === 'system' ? 'The resolver of this system' : `The resolver ${resolver}`;
}
