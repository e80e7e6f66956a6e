import {
  addressFamily,
  addressInAny,
  type AddressClass,
  authority,
  classifyAddress,
  hostOf,
  ofFamily,
  singleAddresses,
  sinkholeOwner,
  translatedFrom,
  uniqueAddresses,
} from '../../core/addresses.ts';
import type { LicenseServerConfig } from '../../config/schema/watched.ts';
import { type DnsObservation, type DnsReply, type FailureReason, isOfThisMachine } from '../../core/observation.ts';
import { oncePer } from '../../core/once-per.ts';
import { nameList } from '../../core/visible-text.ts';
import {
  type Finding,
  known,
  note,
  shell,
  suggestsOnly,
  type FindingText,
  broken,
  warning,
} from '../../engine/model.ts';
import { withAnswersElsewhere } from '../outside.ts';
import type { Declaration, TargetFacts } from '../check.ts';
import { earlierAnswers } from '../intermittent/answers.ts';
import { asOthersSeeIt } from '../peer-views.ts';
import { judgeTargets } from '../targets.ts';
import type { PathObservation } from '../../core/round.ts';
import { NAME_CAUSES, type NameCause, type NameKind } from './causes.ts';
import { type OtherNames, explainAnswer } from './other-names.ts';

interface DnsCase {
  readonly name: string;
  readonly port: number;
  /** If the list is empty, any public address is acceptable. */
  readonly expectedAddresses: readonly string[];
  readonly observations: readonly DnsObservation[];
  readonly others: OtherNames;
  /** Private addresses that have presented the genuine certificate since startup. */
  readonly relays: readonly string[];
}

interface DnsVerdict {
  readonly findings: readonly Finding<NameCause>[];
  readonly addresses: readonly string[];
}

const MAX_DIALLED = 16;

export function judgeDns({ name, port, expectedAddresses, observations, others, relays }: DnsCase): DnsVerdict {
  const subject = `${name}:${String(port)}`;
  const acceptable = observations.map((observation) => acceptableAddresses(observation, expectedAddresses));
  const judged = observations.map((observation, index) =>
    judgeAnswer(observation, {
      subject,
      expectedAddresses,
      othersAnswer: acceptable.some((addresses, other) => other !== index && addresses.length > 0),
      others,
      relays,
    }),
  );
  return {
    findings: [...judged.flatMap(({ findings }) => findings), ...judgeAgreement(subject, judged)],
    addresses: [...dialledAddresses(observations, expectedAddresses), ...relays],
  };
}

/** Returns the addresses from all resolvers, without duplicates, IPv4 first. */
export function dialledAddresses(
  observations: readonly DnsObservation[],
  expectedAddresses: readonly string[],
): readonly string[] {
  const acceptable = observations.flatMap((observation) => acceptableAddresses(observation, expectedAddresses));
  return uniqueAddresses(acceptable).slice(0, MAX_DIALLED);
}

/**
 * Returns private addresses that are not expected. A filter returns such addresses, but so does a site that forwards
 * the licence server's traffic through a relay. Only the certificate proves which of the two is the case.
 */
export function privateAddresses(
  observations: readonly DnsObservation[],
  expectedAddresses: readonly string[],
): readonly string[] {
  const hijacked = observations.flatMap((observation) => sortedBy(expectedAddresses)(observation).hijacked);
  return uniqueAddresses(hijacked)
    .filter((address) => classifyAddress(address) === 'private')
    .slice(0, MAX_DIALLED);
}

/** Returns whether the resolver answered, but with an error or an address that is not expected. */
export function isDoubtfulAnswer(observation: DnsObservation, expected: readonly string[]): boolean {
  const replies = [observation.a, observation.aaaa].filter((reply) => reply.kind === 'answer');
  if (replies.length === 0) return false;
  const given = new Set(replies.flatMap(({ addresses }) => addresses));
  const fine = dialledAddresses([observation], expected);
  const sameName = [...fine, ...singleAddresses(expected)];
  const isListed = (address: string): boolean => addressInAny(translatedFrom(address, sameName) ?? address, expected);
  return fine.length === 0 || fine.length < given.size || (expected.length > 0 && !fine.every(isListed));
}

/** Answers that are already reported as wrong are not compared. */
function judgeAgreement(subject: string, judged: readonly JudgedAnswer[]): readonly Finding<NameCause>[] {
  const findings = judged.flatMap(({ findings: own }) => own);
  if (findings.some(({ suggests }) => suggests !== null && suggests !== 'resolver-unreachable')) return [];
  const answering = judged.filter(({ acceptable, confirmed }) => acceptable.length > 0 && !confirmed);
  for (const [index, first] of answering.entries()) {
    const opposite = answering
      .slice(index + 1)
      .find((second) => haveNothingInCommon(first.acceptable, second.acceptable));
    if (opposite !== undefined) {
      return [
        warning('resolvers-disagree', {
          rule: 'resolvers-agree',
          subject,
          claim:
            `${resolverNamed(first.resolver)} returns ${nameList(first.acceptable)}, but ${opposite.resolver} ` +
            `returns ${nameList(opposite.acceptable)}.`,
          expected: `at least one common address from ${first.resolver} and ${opposite.resolver}`,
          facts: { resolver: opposite.resolver },
        }),
      ];
    }
  }
  return [];
}

/** An answer with only IPv4 addresses does not contradict an answer with only IPv6 addresses. */
function haveNothingInCommon(left: readonly string[], right: readonly string[]): boolean {
  const families = ([4, 6] as const).map((family) => ({
    left: left.filter((address) => addressFamily(address) === family),
    right: right.filter((address) => addressFamily(address) === family),
  }));
  const comparable = families.filter((family) => family.left.length > 0 && family.right.length > 0);
  return (
    comparable.length > 0 &&
    comparable.every((family) => family.left.every((address) => !family.right.includes(address)))
  );
}

interface AnswerCase {
  /** As `host:port`. */
  readonly subject: string;
  readonly expectedAddresses: readonly string[];
  readonly othersAnswer: boolean;
  readonly others: OtherNames;
  readonly relays: readonly string[];
}

interface JudgedAnswer {
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
  readonly relays: readonly string[];
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

function judgeAnswer(observation: DnsObservation, context: AnswerCase): JudgedAnswer {
  const given = withRelays(context.relays, sortedBy(context.expectedAddresses)(observation));
  const sorted = apartFrom(context.others.shared, given);
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

function withRelays(relays: readonly string[], sorted: SortedAddresses): SortedAddresses {
  const found = sorted.hijacked.filter((address) => relays.includes(address));
  return {
    ...sorted,
    acceptable: [...sorted.acceptable, ...found],
    hijacked: sorted.hijacked.filter((address) => !found.includes(address)),
    relays: found,
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
    relays: sorted.relays.filter(isOwn),
  };
}

/** Returns the addresses that ftm-watch connects to. Expected addresses are always acceptable. */
function acceptableAddresses(observation: DnsObservation, expectedAddresses: readonly string[]): readonly string[] {
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
      relays: [],
    };
  }),
);

function judgeAddresses(
  { resolver }: DnsObservation,
  { hijacked, unexpected, relays }: SortedAddresses,
  { subject, expectedAddresses }: AnswerCase,
): readonly Finding<NameCause>[] {
  const by = `${resolverNamed(resolver)} answers with`;
  const described = hijacked.map((address) => `${address}, ${describe(address)}`);
  const product = hijacked.map(sinkholeOwner).find((owner) => owner !== null);
  const about = ([address]: readonly string[]) => ({ subject, facts: known({ resolver, address }) });
  const findings = [
    hijacked.length > 0 &&
      broken('answer-hijacked', {
        rule: 'answer-acceptable',
        subject,
        claim: `${by} ${nameList(described, 3, '; ')}.`,
        expected: `a public address from ${resolver}`,
        facts: known({ resolver, address: hijacked[0], product }),
      }),
    unexpected.length > 0 &&
      warning('answer-unexpected', {
        ...about(unexpected),
        rule: 'answer-expected',
        claim: `${by} ${nameList(unexpected, MOST_SHOWN)}, which is not an expected address.`,
        expected: `an address within ${nameList(expectedAddresses, MOST_SHOWN)} from ${resolver}`,
      }),
    relays.length > 0 &&
      warning('answer-unexpected', {
        ...about(relays),
        rule: 'answer-expected',
        claim:
          `${by} the private address ${nameList(relays, MOST_SHOWN)}, ` +
          'which has presented the genuine certificate.',
        expected: `an expected address from ${resolver}`,
        kind: 'relay',
      }),
  ];
  return findings.filter((finding) => finding !== false);
}

function describe(address: string): string {
  const owner = sinkholeOwner(address);
  return owner === null ? WHAT_IT_IS[classifyAddress(address) ?? 'bogon'] : `the block page of ${owner}`;
}

/** Only a failed A query counts as a fault, because FortiAuthenticator uses IPv4. */
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
  return harmful && !isOurs(failed) ? [warning('resolver-unreachable', { ...told, ...kindOf(failed) })] : [note(told)];
}

function judgeNoAddress(observation: DnsObservation, context: AnswerCase): Finding<NameCause> {
  const { resolver, a, aaaa } = observation;
  const replies = [a, aaaa];
  const missing = replies.find((reply) => reply.kind === 'answer' && reply.rcode === 'NXDOMAIN');
  if (missing !== undefined || replies.every(isUsable)) {
    // A second, working resolver does not help after a negative answer, because a stub resolver queries the next server
    // only if the first one does not answer.
    return broken('name-not-found', {
      rule: 'name-exists',
      subject: context.subject,
      claim:
        missing === undefined
          ? `${resolverNamed(resolver)} returns neither an A nor an AAAA record for the name.`
          : `${resolverNamed(resolver)} reports that the name does not exist (NXDOMAIN).`,
      expected: `an address for ${hostOf(context.subject)} from ${resolver}`,
      facts: { resolver },
    });
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

function kindOf(reply: DnsReply): { readonly kind?: NameKind } {
  return isCutShort(reply) ? { kind: 'tcp-blocked' } : {};
}

function isUsable(reply: DnsReply): boolean {
  return reply.kind === 'answer' && (reply.rcode === 'NOERROR' || reply.rcode === 'NXDOMAIN');
}

function isOurs(reply: DnsReply): boolean {
  return reply.kind === 'failed' && isOfThisMachine(reply.reason) && !isCutShort(reply);
}

/** @param question such as `the A query` */
function claimOfReply(resolver: string, reply: DnsReply, question: string): Pick<FindingText, 'claim' | 'quote'> {
  const by = resolverNamed(resolver);
  if (reply.kind === 'answer') return { claim: `${by} answered ${question} with the error ${reply.rcode}.` };
  const claim = isCutShort(reply)
    ? `${by} truncated its answer over UDP and did not answer over TCP (${reply.reason}).`
    : `${by} did not answer ${question} (${reply.reason}).`;
  return { claim, quote: reply.message };
}

function resolverNamed(resolver: string): string {
  return resolver === 'system' ? 'The resolver of this system' : `The resolver ${resolver}`;
}

export const nameResolution: Declaration<'name-resolution', NameCause> = {
  id: 'name-resolution',
  title: 'Name resolution',
  dependsOn: [{ kind: 'explained', by: 'internet', when: suggestsOnly('resolver-unreachable'), evidence: false }],
  countsForReady: true,
  causes: NAME_CAUSES,
  unknownRemedy: 'In "resolvers", list the resolvers that FortiAuthenticator uses, and allow ftm-watch to query them.',
  onPath: true,
  isWayOut: true,
  place: { kind: 'stop', stop: 'resolver' },
  step: 'resolver',
  sources: ['round'],
  judge: (facts) => {
    const {
      targets: [{ path }],
    } = facts.round;
    const proxy = resolvingProxy(path);
    return {
      ...(proxy === null ? {} : { delegate: { checkedBy: 'reachability', name: `the proxy ${proxy}` } }),
      ...asOthersSeeIt(judgeTargets('name-resolution', facts, judgeNames, summaryOf(path)), nameResolution, facts),
    };
  },
};

function summaryOf(path: PathObservation): string {
  const { names, host, endpoints } = path;
  if (names.length === 0)
    return resolvingProxy(path) === null ? `${host} is an address` : 'The proxy resolves the name';
  const addresses = [...new Set(endpoints.map(({ address }) => address))];
  return `${host} is ${addresses.join(', ')}`;
}

function resolvingProxy({ names, endpoints }: PathObservation): string | null {
  return names.length === 0 ? (endpoints.find(({ proxy }) => proxy !== null)?.proxy ?? null) : null;
}

export function judgeNames(target: TargetFacts): readonly Finding[] | null {
  const found = judgeOwnNames(target);
  if (found === null) return null;
  const { outside } = target.surroundings;
  const told = outside === undefined ? found : withAnswersElsewhere(found, outside, target.path.subject);
  return [...told, ...earlierAnswers(target.answers)];
}

/** Evaluates the answers of this round. */
export function judgeOwnNames({
  path,
  port,
  licenseServer,
  otherNames: others,
}: Omit<TargetFacts, 'answers' | 'sampling' | 'clean'>): readonly Finding<NameCause>[] | null {
  const { names, host, endpoints } = path;
  // If a proxy or an IP address is configured, no name is resolved.
  if (names.length === 0) return endpoints.length > 0 ? [] : null;
  const expectedAddresses = licenseServer?.expectedAddresses ?? [];
  const relays = privateAddresses(names, expectedAddresses).filter((address) =>
    endpoints.some((endpoint) => endpoint.address === address),
  );
  const { findings, addresses } = judgeDns({
    name: host,
    port,
    expectedAddresses,
    observations: names,
    others,
    relays,
  });
  return licenseServer === null ? findings : [...findings, ...judgeFamily(licenseServer, addresses)];
}

/** A name without any address is reported by another finding. */
function judgeFamily(
  { host, port, family }: LicenseServerConfig,
  addresses: readonly string[],
): readonly Finding<NameCause>[] {
  if (family === 'auto' || addresses.length === 0 || ofFamily(addresses, family).length > 0) return [];
  return [
    broken('name-not-found', {
      rule: 'name-has-family',
      subject: authority({ host, port }),
      claim: `${host} has no IPv${String(family)} address, only ${nameList(addresses)}.`,
      expected: `An IPv${String(family)} address`,
      advice: {
        summary: `{host} has no IPv${String(family)} address, but licenseServer.family requires one.`,
        remedy: [
          `If FortiAuthenticator does not use IPv${String(family)}, set licenseServer.family to "auto".`,
          shell(
            'Otherwise, query a public resolver. If only the public resolver returns an address of this ' +
              'family, your resolver filters it out.',
            'dig @9.9.9.9 {host} A',
            'dig @9.9.9.9 {host} AAAA',
          ),
        ],
      },
    }),
  ];
}
