import { nameList } from '../../core/name-list.ts';
import { compareSeverity, type Severity } from '../../core/severity.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { ActivationContext } from '../../core/license/activation-context.ts';
import type { Cause } from '../cause.ts';
import { knownCause, type Check } from '../check.ts';
import type { Explanation } from '../explanation.ts';
import { type Finding, isFault, known } from '../finding.ts';
import type { CauseWords } from '../words/cause-words.ts';
import { evidenceLine } from '../words/evidence-line.ts';
import { type ImpactKind, impactOf } from '../words/impact.ts';
import { remedyOf } from '../words/told-remedy.ts';
import { culpritFinding, culpritText } from '../words/culprit.ts';
import type { Step } from '../words/step.ts';
import { fill, type WordingFacts } from '../words/wording.ts';
import { areTwoWitnesses } from './corroborated.ts';
import type { JudgedState, JudgedStates } from './states.ts';
import { unclearStages, unclearText, witnessesOf } from './unclear-path.ts';

/** What causes are made of beyond the findings. */
export interface CauseContext {
  /** When the round began. */
  readonly at: EpochMs;
  /** All that there are, in the order of the path. */
  readonly checks: readonly Check[];
  readonly host: string;
  readonly port: number;
  /** The address that the firewall sees, where it is known. */
  readonly source: string | null;
  /** Addresses of FortiAuthenticator in the configuration, for sentences. */
  readonly unit?: string;
  readonly activation: ActivationContext;
  /** FortiAuthenticator's log is heard and shows no FortiToken Mobile error. */
  readonly applianceUnaffected: boolean;
  /** The file of the configuration in use; without, the defaults are. */
  readonly configFile?: string;
  /** What checks decide open findings by, where it is not all that they found. */
  readonly refinedBy?: ReadonlyMap<string, readonly Finding[]>;
}

type Suggesting = Finding & { readonly suggests: string };

/** Root causes, most severe first. A fault that a deeper one explains is a consequence of that one and no cause. */
export function findCauses(states: JudgedStates, context: CauseContext): readonly FoundCause[] {
  const found = [...states.values()]
    .filter(({ state }) => state !== 'blocked')
    .flatMap((judged) => causesOf(judged, states, context));
  return found.sort((a, b) => compareSeverity(a.cause.severity, b.cause.severity));
}

export interface FoundCause {
  readonly cause: Cause;
  /** Two witnesses agree on it. */
  readonly isCorroborated: boolean;
}

function causesOf(judged: JudgedState, states: JudgedStates, context: CauseContext): readonly FoundCause[] {
  const suggesting = judged.assessment.findings.filter(
    (finding): finding is Suggesting => finding.suggests !== null && finding.level !== 'unknown',
  );
  const bySubject = Map.groupBy(suggesting, (finding) => faultSubject(finding, context));
  const groups = [...bySubject].map(([subject, findings]) => groupOf(subject, findings, context));
  const leaders = leadersOf(groups);
  const followers = Map.groupBy(groups, (group) => leaderOf(group, leaders));
  return (followers.get(null) ?? []).map((group) => {
    const elsewhere = (followers.get(group) ?? []).flatMap(({ findings }) => findings).slice(0, MOST_ATTACHED);
    const attached = attachedTo(judged.check.id, group.main, states);
    const fault = { ...group, stage: judged.check, attached, elsewhere };
    return { cause: buildCause(fault, states, context), isCorroborated: areTwoWitnesses(fault, context.at) };
  });
}

/** What points at one cause of one subject. */
interface Group {
  readonly subject: string;
  readonly findings: readonly Suggesting[];
  readonly main: Suggesting;
  readonly words: CauseWords;
  /** The check whose precondition the cause breaks as a rule. */
  readonly usual: Check;
}

function groupOf(subject: string, findings: readonly Suggesting[], { checks }: CauseContext): Group {
  const main = mainFinding(findings, checks);
  const { check: usual, words } = knownCause(checks, main.suggests);
  // What fails for the name of a service alone is told with that name.
  return {
    subject: words.oneFaultForAllHosts === true ? (main.facts?.host ?? subject) : subject,
    findings,
    main,
    words,
    usual,
  };
}

function leadersOf(groups: readonly Group[]): ReadonlyMap<string, Group> {
  const broken = groups.filter(({ main, usual }) => main.level === 'broken' && usual.onPath === true);
  return new Map(broken.toReversed().map((group) => [group.main.suggests, group]));
}

/**
 * What is wrong at a service just as it is at the licence server, on the way that they share, is one fault: a policy
 * that inspects everything is told once. Null: it is a fault of its own.
 */
function leaderOf({ main }: Group, leaders: ReadonlyMap<string, Group>): Group | null {
  return main.level === 'warning' ? (leaders.get(main.suggests) ?? null) : null;
}

/**
 * Several resolvers that fail for one name are one fault, as is one that fails for several; several mail servers that
 * fail are several.
 */
function faultSubject({ suggests, subject, facts }: Suggesting, { checks, host }: CauseContext): string {
  const { check, words } = knownCause(checks, suggests);
  if (words.oneFaultForAllHosts === true) return host;
  return check.oneFaultPerHost === true ? (facts?.host ?? host) : subject;
}

const LEVELS: readonly Finding['level'][] = ['broken', 'warning', 'note'];

/** Above the rank of any cause. */
const NO_RANK = 10;

/** Which of several explanations of one fault is told: the worst level first, then by the rank of the causes. */
function mainFinding(findings: readonly Suggesting[], checks: readonly Check[]): Suggesting {
  return findings.reduce((best, next) => (order(next, checks) < order(best, checks) ? next : best));
}

function order({ suggests, level, confidence }: Suggesting, checks: readonly Check[]): number {
  const { rank = NO_RANK } = knownCause(checks, suggests).words;
  // Of two that say the same, the one that leaves no other explanation.
  const doubt = confidence === 'suspected' ? 1 : 0;
  return LEVELS.indexOf(level) * 100 + rank * 2 + doubt;
}

/** A thousand appliances may complain of one fault, and a thousand hosts have it: enough to be believed. */
const MOST_ATTACHED = 20;

/** What the explained preconditions saw of the same fault. */
function attachedTo(id: string, main: Finding, states: JudgedStates): readonly Finding[] {
  // A warning, such as that of a service, explains nothing of what FortiAuthenticator complains of.
  const explains = ({ by, evidence, byWarning }: Explanation): boolean =>
    by === id && evidence && (main.level === 'broken' || byWarning?.(main) === true);
  return [...states.values()]
    .filter(({ check, blockedBy }) => blockedBy.includes(id) && check.explainedBy.some(explains))
    .flatMap(({ assessment }) => assessment.findings)
    .filter(isFault)
    .slice(0, MOST_ATTACHED);
}

interface Fault extends Group {
  /** Where it was found. */
  readonly stage: Check;
  readonly attached: readonly Finding[];
  /** The same at other targets. */
  readonly elsewhere: readonly Finding[];
}

function buildCause(fault: Fault, states: JudgedStates, context: CauseContext): Cause {
  const { main } = fault;
  const unclear = unclearStages(fault.words, states);
  const { refinedBy } = context;
  const fresh = refinedBy === undefined || refinedBy.size === 0 ? undefined : [...refinedBy.values()].flat();
  const found = culpritFinding(main, [...fault.findings, ...fault.attached], fault.words, fresh);
  const facts = {
    ...factsOf(fault, context),
    ...(unclear.length === 0 ? {} : { unclear: unclearText(unclear) }),
    ...(found === null ? {} : { culprit: culpritText(found.culprit) }),
  };
  const words = withBrokenPath(withCulprit(wordsOf(fault, facts), found, context.checks), main, states);
  const precondition = brokenBy(fault);
  return {
    id: main.suggests,
    precondition,
    severity: severityOf(words, main, fault.words),
    confidence: main.confidence ?? 'confirmed',
    subject: fault.subject,
    product: facts.product ?? null,
    ...(found === null ? {} : { culprit: found.culprit }),
    ...known({ said: main.facts?.said }),
    summary: summaryOf(words, facts, fault, context),
    impact: impactOf(impactKindOf(words, main, context), context.activation),
    evidence: [...byWeight(fault, found), ...fault.elsewhere, ...witnessesOf(unclear)].map((finding) =>
      evidenceLine(finding, fault.subject),
    ),
    consequences: [...states].filter(([, { blockedBy }]) => blockedBy.includes(precondition)).map(([id]) => id),
    ...remedyOf([...(facts.clean === undefined ? [] : [COMPARE_ADDRESSES]), ...stepsOf(words, facts)], facts),
  };
}

/** A warning does not say that activation fails, but it does not rule it out either. */
function impactKindOf({ impact }: CauseWords, { level, facts }: Finding, { host }: CauseContext): ImpactKind {
  if (level === 'note') return 'none';
  if (level === 'broken' || impact !== 'activation') return impact;
  return facts?.host === undefined || facts.host === host ? 'uncertain' : 'service';
}

/** What proves the cause first, then what agrees with it, then what was noticed with it. */
function byWeight({ main, findings, attached }: Fault, culprit: Finding | null): readonly Finding[] {
  const weightOf = (finding: Finding): number => {
    if (finding.culprit !== undefined && finding.culprit === culprit?.culprit) return 0;
    if (finding === main) return 1;
    if (finding.suggests === main.suggests && finding.level === 'broken') return 2;
    return 3 + LEVELS.indexOf(finding.level);
  };
  return [...findings, ...attached].toSorted((a, b) => weightOf(a) - weightOf(b));
}

/** On the path a cause breaks the stage at which it was found: a server that is down may show at its port already. */
function brokenBy({ stage, usual }: Fault): string {
  return usual.onPath === true && stage.onPath === true ? stage.id : usual.id;
}

function wordsOf({ words, main: { kind, advice } }: Fault, { unclear }: WordingFacts): CauseWords {
  const special = kind === undefined ? undefined : words.kinds?.[kind];
  const { productRemedy: _product, anyProductRemedy: _anyProduct, ...plain } = words;
  const { summary, remedy, unclearPath } = special ?? words;
  return {
    // A kind knows more of what has to be done than the name of a product.
    ...(special === undefined ? words : plain),
    summary,
    remedy,
    ...(unclear === undefined ? {} : (unclearPath ?? words.unclearPath)),
    ...advice,
  };
}

/** Once the policy is known, the first step is to change it: the search for it is over. */
function withCulprit(words: CauseWords, found: Finding | null, checks: readonly Check[]): CauseWords {
  if (found === null || found.suggests === null || words.byFirewall === undefined) return words;
  const { productRemedy: _, anyProductRemedy: __, ...others } = words;
  const own = knownCause(checks, found.suggests).words;
  const { remedy } = (found.kind === undefined ? undefined : own.kinds?.[found.kind]) ?? own;
  return { ...others, summary: words.byFirewall.summary, remedy };
}

/** What needs the path cannot wait while it is broken. What is only suspected raises no alarm. */
function withBrokenPath(words: CauseWords, { confidence }: Finding, states: JudgedStates): CauseWords {
  const { brokenPath } = words;
  if (brokenPath === undefined || confidence === 'suspected') return words;
  const isBroken = [...states.values()].some(({ check, state }) => check.onPath === true && state === 'broken');
  return isBroken ? { ...words, ...brokenPath, severity: 'critical' } : words;
}

function factsOf({ subject, main, findings, attached }: Fault, context: CauseContext): WordingFacts {
  const base: WordingFacts = {
    subject,
    host: context.host,
    port: String(context.port),
    ...(context.configFile === undefined ? {} : { config: context.configFile }),
    ...(context.unit === undefined ? {} : { unit: context.unit }),
  };
  const { clean: _, ...all } = [...attached, ...findings, main].reduce<WordingFacts>(
    (facts, finding) => ({ ...facts, ...finding.facts }),
    base,
  );
  // Each unit may have its own, and what is done for one alone leaves the others as they are.
  const sources = new Set([...attached, ...findings].flatMap((finding) => finding.facts?.source ?? []));
  const told = sources.size === 0 ? context.source : nameList([...sources]);
  // What is found with it may be about a service, or about an address that does not decide.
  const { host = base.host, port = base.port, source = told, clean } = main.facts ?? {};
  return { ...all, host, port, ...known({ source, clean }) };
}

/** A fault of one family or of one member is looked for in another place than one of the whole way. */
const ONE_ADDRESS = ' Seen at {address}, not at {clean}.';
const THROUGH_PROXY = ' The connection leads through the proxy {proxy}.';
const COMPARE_ADDRESSES =
  'Compare how {address} and {clean} are treated: a policy, an inspection profile, a route or an uplink for one ' +
  'alone is the usual reason.';

/** Firewall policies match source addresses: what stops this machine may let FortiAuthenticator through. */
const SEEMS_UNAFFECTED =
  ' The log of FortiAuthenticator shows no error so far: its own path may differ from that of this machine.';

function summaryOf(
  { summary, proxyRemedy, impact }: CauseWords,
  facts: WordingFacts,
  { main, usual }: Fault,
  { applianceUnaffected, activation }: CauseContext,
): string {
  const onThePath = usual.onPath === true && main.level === 'broken';
  const isOutage = impact === 'activation' && main.level === 'broken';
  const warning = (isOutage ? activation.outageWarning : null) ?? '';
  const text = `${summary}${facts.clean === undefined ? '' : ONE_ADDRESS}${
    facts.proxy === undefined || proxyRemedy === undefined ? '' : THROUGH_PROXY
  }`;
  // A general word may stand at its beginning.
  const sentence = fill(text, facts).replace(/^the /u, 'The ');
  return `${sentence}${onThePath && applianceUnaffected ? SEEMS_UNAFFECTED : ''}${warning && ` ${warning}`}`;
}

function severityOf({ severity }: CauseWords, main: Finding, usual: CauseWords): Severity {
  if (main.level === 'note') return 'info';
  return main.level === 'warning' && usual.severity === 'critical' ? 'warning' : severity;
}

function stepsOf(words: CauseWords, { product, proxy }: WordingFacts): readonly Step[] {
  const { remedy, productRemedy, anyProductRemedy, proxyRemedy } = words;
  if (proxy !== undefined && proxyRemedy !== undefined) return proxyRemedy;
  return (product === undefined ? undefined : (productRemedy?.[product] ?? anyProductRemedy)) ?? remedy;
}
