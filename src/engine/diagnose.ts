import {
  type Assessment,
  type Cause,
  type Diagnosis,
  type PreconditionStatus,
  type Finding,
  knownCause,
  type Check,
  type Explanation,
  isFault,
  known,
  type CauseWords,
  impactOf,
  type PreconditionState,
} from './model.ts';
import { nameList } from '../core/visible-text.ts';
import { compareSeverity, type Severity } from '../core/severity.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { ActivationContext } from '../core/license/appliance.ts';
import {
  clauseOf,
  culpritText,
  dependsOnFact,
  evidenceLine,
  FORTIGATE,
  FORTIGATE_SERIAL,
  observationText,
  wordsFor,
} from './words.ts';
import type { Culprit } from '../core/firewall.ts';
import { readinessOf, recordedState } from './availability.ts';
import { remedyOf, fill, type WordingFacts } from './remedy-words.ts';

export function diagnose(
  assessments: readonly Assessment[],
  context: CauseContext & { readonly site: string },
): Diagnosis {
  const states = judgeStates(assessments, context.checks);
  const found = findCauses(states, context);
  const causes = found.map(({ cause }) => cause);
  const preconditions = context.checks
    .flatMap(({ id }) => states.get(id) ?? [])
    .map((judged) => status(judged, causes, states));
  return {
    ready: readinessOf(new Set(preconditions.map(recordedState))),
    site: context.site,
    at: context.at,
    preconditions,
    causes,
    corroborated: found.filter(({ isCorroborated: is }) => is).map(keyOf),
    unproven: found.filter(({ isUnproven: is }) => is).map(keyOf),
    ...(context.configFile === undefined ? {} : { configFile: context.configFile }),
  };
}

function status(judged: JudgedState, causes: readonly Cause[], states: JudgedStates): PreconditionStatus {
  const { check, assessment, state, blockedBy } = judged;
  const { id, findings, waits } = assessment;
  const isLeftOut = state === 'unknown' && (waits === true || !check.countsForReady);
  const isSameFault = state === 'blocked' && ownFinding(judged) !== undefined;
  return {
    id,
    state,
    summary: summaryOf(judged, causes, states),
    blockedBy,
    findings,
    ...(waits === true ? { waits } : {}),
    ...(isLeftOut ? { isLeftOut } : {}),
    ...(isSameFault ? { isSameFault } : {}),
  };
}

/**
 * Of a blocked check without a `needs` dependency, which was evaluated nevertheless. Its findings describe the same
 * fault.
 */
function ownFinding({ check, assessment }: JudgedState): Finding | undefined {
  return check.dependsOn.some(({ kind }) => kind === 'needs') ? undefined : worstOf(assessment);
}

function summaryOf(judged: JudgedState, causes: readonly Cause[], states: JudgedStates): string {
  const { assessment, state, blockedBy } = judged;
  switch (state) {
    case 'ok':
    case 'not-configured':
      return assessment.summary;
    case 'broken':
    case 'warning':
      return causes.find((cause) => cause.precondition === assessment.id)?.summary ?? findingSummary(assessment, state);
    case 'unknown':
      return findingSummary(assessment, 'unknown');
    case 'blocked': {
      const titles = blockedBy.map((id) => states.get(id)?.check.title ?? id).join(' and ');
      const deeper = assessment.delegate?.name ?? titles;
      const own = ownFinding(judged);
      return own === undefined
        ? `Skipped: depends on ${deeper}`
        : `${own.claim} This is the same fault as in ${deeper}.`;
    }
  }
}

function worstOf({ findings }: Assessment): Finding | undefined {
  return (['broken', 'warning', 'unknown'] as const)
    .map((level) => findings.find((finding) => finding.level === level))
    .find((finding) => finding !== undefined);
}

function findingSummary(assessment: Assessment, level: 'broken' | 'warning' | 'unknown'): string {
  const finding = assessment.findings.find((candidate) => candidate.level === level);
  return finding === undefined ? assessment.summary : `${finding.subject}: ${finding.claim}`;
}

interface CauseContext {
  readonly at: EpochMs;
  readonly checks: readonly Check[];
  readonly host: string;
  readonly port: number;
  /** FortiAuthenticator's source address, as seen by the firewall. Null if unknown. */
  readonly source: string | null;
  /** FortiAuthenticator's configured addresses, for use in sentences. */
  readonly unit?: string;
  readonly activation: ActivationContext;
  /** True if FortiAuthenticator's log arrives and contains no FortiToken Mobile errors. */
  readonly applianceUnaffected: boolean;
  /** Absent if the defaults are used. */
  readonly configFile?: string;
  /** Firewall findings that are newer than the start of the fault. Absent if all findings are newer. */
  readonly fresh?: readonly Finding[];
  /** Causes of the previous round. */
  readonly before?: readonly Cause[];
}

type Suggesting = Finding & { readonly suggests: string };

function findCauses(states: JudgedStates, context: CauseContext): readonly FoundCause[] {
  const found = [...states.values()].flatMap((judged) => causesOf(judged, states, context));
  return found.sort((a, b) => compareSeverity(a.cause.severity, b.cause.severity));
}

type CulpritFinding = Suggesting & { readonly culprit: Culprit };

interface FoundCause {
  readonly cause: Cause;
  readonly isCorroborated: boolean;
  readonly isUnproven: boolean;
}

function keyOf({ cause: { id, subject } }: FoundCause): Pick<Cause, 'id' | 'subject'> {
  return { id, subject };
}

function causesOf(judged: JudgedState, states: JudgedStates, context: CauseContext): readonly FoundCause[] {
  const suggesting = judged.assessment.findings.filter(
    (finding): finding is Suggesting =>
      finding.suggests !== null &&
      finding.level !== 'unknown' &&
      (judged.state !== 'blocked' || isExplainedByNothing(finding)),
  );
  const groups = groupsOf(suggesting, context);
  const leaders = leadersOf(groups);
  const followers = Map.groupBy(groups, (group) => leaderOf(group, leaders));
  return (followers.get(null) ?? []).map((group) => {
    const elsewhere = (followers.get(group) ?? []).flatMap(({ findings }) => findings).slice(0, MOST_ATTACHED);
    const attached = attachedTo(judged.check.id, group.main, states);
    const fault = { ...group, stage: judged.check, attached, elsewhere };
    return {
      cause: buildCause(fault, states, context),
      isCorroborated: areTwoWitnesses(fault, context.at),
      isUnproven: isUnproven(group.main),
    };
  });
}

/** Unproven findings join only a group with the same cause. Otherwise, they could displace its cause. */
function groupsOf(suggesting: readonly Suggesting[], context: CauseContext): readonly Group[] {
  const [unproven, proven] = [suggesting.filter(isUnproven), suggesting.filter((finding) => !isUnproven(finding))];
  const bySubject = (findings: readonly Suggesting[]): readonly Group[] =>
    [...Map.groupBy(findings, (finding) => faultSubject(finding, context))].map(([subject, alike]) =>
      groupOf(subject, alike, context),
    );
  const groups = bySubject(proven).map((group) => {
    const joining = unproven.filter((finding) => isOfGroup(finding, group, context));
    return joining.length === 0 ? group : groupOf(group.key, [...group.findings, ...joining], context);
  });
  const others = unproven.filter((finding) => !groups.some((group) => isOfGroup(finding, group, context)));
  const byCause = Map.groupBy(others, ({ suggests }) => suggests);
  return [...groups, ...[...byCause.values()].flatMap(bySubject)];
}

function isOfGroup(finding: Suggesting, { key, main }: Group, context: CauseContext): boolean {
  return main.suggests === finding.suggests && faultSubject(finding, context) === key;
}

function isUnproven({ unproven }: Finding): boolean {
  return unproven === true;
}

/** Other findings of the same check can still be explained. */
function isExplainedByNothing({ explainedBy }: Finding): boolean {
  return explainedBy?.length === 0;
}

interface Group {
  /** What its findings have in common. */
  readonly key: string;
  readonly subject: string;
  readonly findings: readonly Suggesting[];
  readonly main: Suggesting;
  readonly words: CauseWords;
  readonly usual: Check;
}

function groupOf(key: string, findings: readonly Suggesting[], { checks }: CauseContext): Group {
  const main = mainFinding(findings, checks);
  const { check: usual, words } = knownCause(checks, main.suggests);
  // If a fault affects only a service, it is reported with the service's host name.
  return {
    key,
    subject: subjectOf(words, main, key),
    findings,
    main,
    words,
    usual,
  };
}

function subjectOf({ oneFault, isEvent }: CauseWords, { subject, facts }: Suggesting, key: string): string {
  if (isEvent === true) return subject;
  return oneFault === 'for-all-hosts' ? (facts?.host ?? key) : key;
}

function leadersOf(groups: readonly Group[]): ReadonlyMap<string, Group> {
  const broken = groups.filter(
    ({ main, usual }) => main.level === 'broken' && usual.onPath === true && !isUnproven(main),
  );
  return new Map(broken.toReversed().map((group) => [group.main.suggests, group]));
}

/**
 * Returns the licence server's fault that this fault repeats, or null. If a service and the licence server fail in the
 * same way on their shared path, for example because a policy inspects all traffic, only one fault is reported.
 */
function leaderOf({ main }: Group, leaders: ReadonlyMap<string, Group>): Group | null {
  return main.level === 'warning' ? (leaders.get(main.suggests) ?? null) : null;
}

/**
 * Groups findings into faults. Several resolvers that fail for one name, or one resolver that fails for several names,
 * count as one fault. If several mail servers fail, each failure is a separate fault.
 */
function faultSubject({ suggests, subject, facts }: Suggesting, { checks, host }: CauseContext): string {
  const { oneFault, isEvent } = knownCause(checks, suggests).words;
  if (isEvent === true) return `${suggests} ${subject}`;
  if (oneFault === undefined) return subject;
  return oneFault === 'for-all-hosts' ? host : (facts?.host ?? host);
}

const LEVELS: readonly Finding['level'][] = ['broken', 'warning', 'note'];

/** Higher than any declared rank. */
const NO_RANK = 10;

function mainFinding(findings: readonly Suggesting[], checks: readonly Check[]): Suggesting {
  return findings.reduce((best, next) => (order(next, checks) < order(best, checks) ? next : best));
}

function order(finding: Suggesting, checks: readonly Check[]): number {
  const { rank = NO_RANK } = knownCause(checks, finding.suggests).words;
  const doubt = finding.confidence === 'suspected' ? 1 : 0;
  const last = isUnproven(finding) ? 50 : 0;
  return LEVELS.indexOf(finding.level) * 100 + last + rank * 2 + doubt;
}

/** Thousands of appliances or hosts can report the same fault. */
const MOST_ATTACHED = 20;

function attachedTo(id: string, main: Finding, states: JudgedStates): readonly Finding[] {
  // A warning, for example about a service, usually does not explain FortiAuthenticator's errors.
  const explains = ({ by, evidence, byWarning }: Explanation): boolean =>
    by === id && evidence && (main.level === 'broken' || byWarning?.(main) === true);
  return [...states.values()]
    .filter(({ check, blockedBy }) => blockedBy.includes(id) && explanationsOf(check).some(explains))
    .flatMap(({ assessment }) => assessment.findings)
    .filter((finding) => isFault(finding) && !isExplainedByNothing(finding))
    .slice(0, MOST_ATTACHED);
}

interface Fault extends Group {
  readonly stage: Check;
  readonly attached: readonly Finding[];
  /** The same fault at other targets, such as services. */
  readonly elsewhere: readonly Finding[];
}

function buildCause(fault: Fault, states: JudgedStates, context: CauseContext): Cause {
  const { main } = fault;
  const unclear = unclearStages(fault.words, states);
  const found = culpritFinding(main, [...fault.findings, ...fault.attached], fault.words, context.fresh);
  const facts = {
    ...factsOf(fault, context),
    ...(unclear.length === 0 ? {} : { unclear: unclearText(unclear) }),
    ...(found === null ? {} : { culprit: culpritText(found.culprit) }),
  };
  const words = wordsOf(fault, facts, found, states, context);
  const precondition = brokenBy(fault);
  const evidence = [...byWeight(fault, found), ...fault.elsewhere, ...witnessesOf(unclear)];
  const ofPolicy = evidence.find(({ describesPolicy }) => describesPolicy === true);
  return {
    id: main.suggests,
    precondition,
    severity: severityOf(words, main, fault.words),
    confidence: found === null && contradicts(fault, context) ? 'suspected' : (main.confidence ?? 'confirmed'),
    subject: fault.subject,
    ...(main.kind === undefined ? {} : { kind: main.kind }),
    product: facts.product ?? null,
    ...(found === null ? {} : { culprit: found.culprit }),
    ...(ofPolicy === undefined ? {} : { policyReport: observationText(ofPolicy, fault.subject) }),
    ...known({ said: main.facts?.said, peer: main.facts?.peer }),
    ...(main.confidence === 'suspected' ? { observed: clauseOf(main.claim) } : {}),
    ...(fault.words.isEvent === true ? { isEvent: true } : {}),
    summary: causeSummary(words, facts, fault, context),
    impact: impactOf(impactKindOf(words, main, context), context.activation),
    evidence: evidence.map((finding) => evidenceLine(finding, fault.subject)),
    consequences: [...states].filter(([, { blockedBy }]) => blockedBy.includes(precondition)).map(([id]) => id),
    ...remedyOf([...(facts.clean === undefined ? [] : [COMPARE_ADDRESSES]), ...words.remedy], facts),
  };
}

/**
 * Returns whether the previous round explained the same fault differently. If a fault ends during a round, some of the
 * round's observations are from before its end and some from after it. Only another round can confirm what follows from
 * both.
 */
function contradicts({ stage, subject, main }: Fault, { before = [] }: CauseContext): boolean {
  const known = before.find((cause) => cause.id === main.suggests && cause.subject === subject);
  return stage.onPath === true && known !== undefined && known.kind !== main.kind;
}

/**
 * Returns the firewall finding whose policy explains a cause. Returns null if several policies are possible. A policy
 * does not explain a fault that affects only some connections (`advice`) or addresses (`clean`), nor a certificate from
 * another product.
 * @param fresh firewall findings that are newer than the start of the fault; undefined if all of them are newer
 */
function culpritFinding(
  main: Finding,
  others: readonly Finding[],
  { variants = [] }: CauseWords,
  fresh: readonly Finding[] | undefined,
): CulpritFinding | null {
  const { product = FORTIGATE, issuer = '' } = main.facts ?? {};
  if (main.advice !== undefined || main.clean !== undefined || product !== FORTIGATE) return null;
  const isExplained = ({ action }: Culprit): boolean => variants.some(({ when }) => when.culprit === action);
  const candidates = [main, ...others].flatMap((finding) => {
    const { suggests, culprit } = finding;
    const isIt = isFault(finding) && culprit !== undefined && isExplained(culprit) && !isOtherUnit(issuer, culprit);
    return isIt && suggests !== null ? [{ ...finding, suggests, culprit }] : [];
  });
  const isFresh = ({ culprit }: { readonly culprit: Culprit }): boolean =>
    fresh === undefined ||
    fresh.some((one) => one.culprit !== undefined && culpritText(one.culprit) === culpritText(culprit));
  const names = new Set(candidates.map(({ culprit }) => culpritText(culprit)));
  const [first] = candidates;
  return first === undefined || names.size > 1 || !isFresh(first) ? null : first;
}

function isOtherUnit(issuer: string, { serial }: Culprit): boolean {
  return serial !== null && FORTIGATE_SERIAL.test(issuer) && issuer !== serial;
}

function impactKindOf({ impact }: CauseWords, { level, facts }: Finding, { host }: CauseContext): CauseWords['impact'] {
  if (level === 'note') return 'none';
  if (level === 'broken' || impact !== 'activation') return impact;
  return facts?.host === undefined || facts.host === host ? 'uncertain' : 'service';
}

function byWeight({ main, findings, attached }: Fault, culprit: Finding | null): readonly Finding[] {
  const weightOf = (finding: Finding): number => {
    if (finding.culprit !== undefined && finding.culprit === culprit?.culprit) return 0;
    if (finding === main) return 1;
    if (finding.suggests === main.suggests && finding.level === 'broken') return 2;
    return 3 + LEVELS.indexOf(finding.level);
  };
  return [...findings, ...attached].toSorted((a, b) => weightOf(a) - weightOf(b));
}

/**
 * On the network path, the stage that detected the fault is considered broken. For example, if a server is down, the
 * failure may occur as early as the attempt to open its port.
 */
function brokenBy({ stage, usual }: Fault): string {
  return usual.onPath === true && stage.onPath === true ? stage.id : usual.id;
}

/**
 * If the responsible firewall policy is known, the remedy begins with how to change it instead of how to find it. The
 * advice of a finding is more specific than all variants.
 */
function wordsOf(
  { words, main }: Fault,
  { product, proxy, unclear }: WordingFacts,
  found: CulpritFinding | null,
  states: JudgedStates,
  { checks }: CauseContext,
): CauseWords {
  const { kind, confidence, facts, advice } = main;
  const judged = facts?.judgement === undefined ? words : { ...words, summary: '{judgement}.' };
  const own = wordsFor(judged, {
    kind,
    product,
    isProxied: proxy !== undefined,
    culprit: found?.culprit.action,
    severity: severityOf(words, main, words),
    isPathUnclear: unclear !== undefined,
    isPathBroken: confidence !== 'suspected' && [...states.values()].some(isBrokenStage),
  });
  if (found === null) return { ...own, ...advice };
  return { ...own, remedy: wordsFor(knownCause(checks, found.suggests).words, { kind: found.kind }).remedy };
}

function isBrokenStage({ check, state }: JudgedState): boolean {
  return check.onPath === true && state === 'broken';
}

function factsOf({ subject, main, attached, ...fault }: Fault, context: CauseContext): WordingFacts {
  // Text that anybody can write is not inserted into the commands for a proven cause.
  const findings = fault.findings.filter((finding) => isUnproven(main) || !isUnproven(finding));
  const base: WordingFacts = {
    subject,
    host: context.host,
    port: String(context.port),
    ...(context.configFile === undefined ? {} : { config: context.configFile }),
    ...(context.unit === undefined ? {} : { unit: context.unit }),
  };
  const all = [...attached, ...findings, main].reduce<WordingFacts>(
    (facts, finding) => ({ ...facts, ...finding.facts }),
    base,
  );
  // Each unit can have a different source address, so the commands must use the affected unit's address.
  const sources = new Set([...attached, ...findings].flatMap((finding) => finding.facts?.source ?? []));
  const told = sources.size === 0 ? context.source : nameList([...sources]);
  // Attached findings can concern a service or a non-decisive address, so only the main finding is used.
  const { host = base.host, port = base.port, source = told } = main.facts ?? {};
  const clean = main.clean === undefined ? {} : { clean: main.clean.join(', ') };
  const quote = main.quote !== undefined && main.quote.length <= LONGEST_QUOTE ? { quote: main.quote } : {};
  return { ...all, host, port, ...known({ source }), ...clean, ...quote };
}

/** Longer words are only in the evidence. */
const LONGEST_QUOTE = 160;

/** The cause is usually specific to the address, such as its address family or the cluster member behind it. */
const ONE_ADDRESS = ' This affects {address}, but not {clean}.';
const THROUGH_PROXY = ' The connection uses the proxy {proxy}.';
const COMPARE_ADDRESSES =
  'Compare how {address} and {clean} are treated. The usual cause is a policy, an inspection profile, a route or ' +
  'an uplink that applies to only one of them.';

/**
 * Firewall policies match source addresses, so a policy that blocks this machine may still allow FortiAuthenticator.
 */
const SEEMS_UNAFFECTED =
  ' FortiAuthenticator has not logged any errors so far, so its path may differ from the path of ftm-watch.';

function causeSummary(
  { summary, impact }: CauseWords,
  facts: WordingFacts,
  { main, usual, words }: Fault,
  { applianceUnaffected, activation }: CauseContext,
): string {
  const onThePath = usual.onPath === true && main.level === 'broken';
  const isOutage = impact === 'activation' && main.level === 'broken';
  const warning = (isOutage ? activation.outageWarning : null) ?? '';
  const text = `${summary}${facts.clean === undefined ? '' : ONE_ADDRESS}${
    facts.proxy === undefined || !dependsOnFact(words, 'isProxied') ? '' : THROUGH_PROXY
  }`;
  // The sentence can start with a lower-case word from `GENERAL`.
  const sentence = fill(text, facts).replace(/^the /u, 'The ');
  return `${sentence}${onThePath && applianceUnaffected ? SEEMS_UNAFFECTED : ''}${warning && ` ${warning}`}`;
}

function severityOf({ severity }: CauseWords, main: Finding, usual: CauseWords): Severity {
  if (main.level === 'note') return 'info';
  return main.level === 'warning' && usual.severity === 'critical' ? 'warning' : severity;
}

interface JudgedState {
  readonly check: Check;
  readonly assessment: Assessment;
  readonly state: PreconditionState;
  /** True if the check's own, proven findings break it. Only these explain faults of other checks. */
  readonly isProvenBroken: boolean;
  readonly blockedBy: readonly string[];
}

type JudgedStates = ReadonlyMap<string, JudgedState>;

export function judgeStates(assessments: readonly Assessment[], checks: readonly Check[]): JudgedStates {
  const states = new Map<string, JudgedState>();
  for (const check of deepestFirst(checks)) {
    const assessment: Assessment = assessments.find(({ id }) => id === check.id) ?? {
      id: check.id,
      kind: 'not-configured',
      findings: [],
      summary: 'Not configured',
    };
    const state = ownState(check, assessment);
    const blockedBy = blockers(check, state, assessment, states);
    const isBlocked = blockedBy.length > 0;
    const isProvenBroken =
      !isBlocked && assessment.findings.some((finding) => finding.level === 'broken' && !isUnproven(finding));
    states.set(check.id, { check, assessment, state: isBlocked ? 'blocked' : state, isProvenBroken, blockedBy });
  }
  for (const judged of states.values()) {
    const by = judged.assessment.delegate?.checkedBy;
    if (by !== undefined && judged.state === 'ok' && states.get(by)?.isProvenBroken === true)
      states.set(judged.check.id, { ...judged, state: 'blocked', blockedBy: [by] });
  }
  return states;
}

/** Sorts the checks so that each check comes after its dependencies. */
function deepestFirst(checks: readonly Check[], before: readonly Check[] = []): readonly Check[] {
  const left = checks.filter((check) => !before.includes(check));
  const isLeft = ({ by }: { readonly by: string }): boolean => left.some(({ id }) => id === by);
  const next = left.reduce<readonly Check[]>(
    (taken, check) =>
      check.dependsOn.some((one) => isLeft(one) && !taken.some(({ id }) => id === one.by)) ? taken : [...taken, check],
    [],
  );
  return next.length === 0 ? [...before, ...left] : deepestFirst(checks, [...before, ...next]);
}

function ownState({ countsForReady }: Check, assessment: Assessment): PreconditionState {
  if (assessment.kind === 'not-configured') return 'not-configured';
  const levels = new Set(assessment.findings.map((finding) => finding.level));
  if (levels.has('broken')) return countsForReady ? 'broken' : 'warning';
  if (assessment.kind === 'unjudged' || levels.has('unknown')) return 'unknown';
  return levels.has('warning') ? 'warning' : 'ok';
}

function blockers(
  check: Check,
  own: PreconditionState,
  assessment: Assessment,
  states: ReadonlyMap<string, JudgedState>,
): readonly string[] {
  if (own === 'not-configured') return [];
  const needed = check.dependsOn.filter((one) => one.kind === 'needs' && (one.when?.(assessment) ?? true));
  const explaining = explanationsOf(check).filter(
    (explanation) => reaches(explanation, own, assessment) && explanation.when(assessment.findings),
  );
  const weaker = isWeak(own, assessment) ? explaining.filter((one) => isWeakFault(states.get(one.by), one)) : [];
  const roots = [...needed, ...explaining].flatMap(({ by }) => rootsOf(states.get(by), by));
  return [...new Set([...weaker.map(({ by }) => by), ...roots])];
}

function explanationsOf({ dependsOn }: Check): readonly Explanation[] {
  return dependsOn.filter((one) => one.kind === 'explained');
}

function reaches({ warnings }: Explanation, own: PreconditionState, { findings }: Assessment): boolean {
  if (own !== 'warning') return own === 'broken' || own === 'unknown';
  if (warnings !== 'suspected') return warnings === 'all';
  return findings.some(({ level, confidence }) => level === 'warning' && confidence === 'suspected');
}

function isWeak(own: PreconditionState, { findings }: Assessment): boolean {
  if (own !== 'broken') return own === 'warning';
  return findings.every((finding) => finding.level !== 'broken' || isUnproven(finding));
}

function isWeakFault(judged: JudgedState | undefined, { byWarning }: Explanation): boolean {
  if (judged?.state !== 'warning' && judged?.state !== 'broken') return false;
  return judged.assessment.findings.some((finding) => byWarning?.(finding) === true);
}

function rootsOf(judged: JudgedState | undefined, id: string): readonly string[] {
  if (judged?.isProvenBroken === true) return [id];
  return judged?.blockedBy ?? [];
}

/** Returns the stages of this machine's path that are not `ok`, if the cause's wording depends on them. */
function unclearStages(words: CauseWords, states: JudgedStates): readonly JudgedState[] {
  if (!dependsOnFact(words, 'isPathUnclear')) return [];
  return [...states.values()].filter(
    ({ check, state }) => check.onPath === true && state !== 'ok' && state !== 'not-configured',
  );
}

function unclearText(stages: readonly JudgedState[]): string {
  return nameList(
    stages.map(({ check: { title }, state }) =>
      state === 'warning'
        ? `${title} has a warning`
        : `${title} ${state === 'blocked' ? 'was skipped' : `is ${state}`}`,
    ),
  );
}

const MOST_WITNESSES = 5;

function witnessesOf(stages: readonly JudgedState[]): readonly Finding[] {
  return stages
    .flatMap(({ assessment }) => assessment.findings)
    .filter(({ level }) => level === 'unknown' || level === 'warning')
    .slice(0, MOST_WITNESSES);
}

/** Maximum age of an observation that counts as a witness. Older observations may no longer apply. */
const RECENT: Millis = 60_000;
/** Minimum time between two independent observations. The same as the delay before a requested round starts. */
const APART: Millis = 3_000;

/**
 * Returns whether two witnesses agree, in which case no other round has to confirm the fault. The witnesses must be of
 * different kinds, and no single momentary failure may explain both observations.
 */
function areTwoWitnesses({ stage, main, findings, attached }: Fault, at: EpochMs): boolean {
  if (main.level !== 'broken' || main.confidence === 'suspected') return false;
  const agreeing = findings.filter(({ suggests }) => suggests === main.suggests);
  const testifying = attached.filter(({ witness }) => witness !== undefined);
  const kinds = [main, ...agreeing, ...testifying]
    .filter((finding) => counts(finding, at))
    .map(({ witness }) => witness)
    .filter((witness) => stage.byOneConnection !== true || witness === undefined || witness === 'firewall');
  return new Set(kinds).size > 1;
}

function counts({ witness, at: seenAt }: Finding, at: EpochMs): boolean {
  const age = seenAt === undefined ? 0 : at - seenAt;
  if (witness === undefined) return seenAt === undefined;
  switch (witness) {
    case 'other-host':
      return seenAt === undefined;
    case 'appliance-log':
    case 'firewall':
      return age < RECENT;
    case 'peer':
      return age >= APART && age < RECENT;
  }
}

export function isCorroborated(
  { corroborated = [] }: Diagnosis,
  { id, subject }: Pick<Cause, 'id' | 'subject'>,
): boolean {
  return corroborated.some((cause) => cause.id === id && cause.subject === subject);
}
