import { CAUSE_PRECONDITIONS, SEVERITIES, type Cause, type FaultId, type Severity } from '../cause.ts';
import { CATALOGUE } from '../causes/catalogue.ts';
import type { CauseEntry } from '../causes/entry.ts';
import { impactOf } from '../causes/impact.ts';
import { fill, type WordingFacts } from '../causes/wording.ts';
import { isSmallShare } from '../comes-and-goes.ts';
import type { Finding } from '../finding.ts';
import type { ActivationContext } from '../license/activation-context.ts';
import type { PreconditionId } from '../precondition.ts';
import { EXPLANATIONS, PATH } from './explanations.ts';
import type { JudgedState, JudgedStates } from './states.ts';
import { unclearStages, unclearText, witnessesOf } from './unclear-path.ts';

/** What the texts need to know beyond the findings. */
export interface CauseContext {
  readonly host: string;
  readonly port: number;
  /** The address that the firewall sees, where it is known. */
  readonly source: string | null;
  readonly activation: ActivationContext;
  /** FortiAuthenticator's log is heard and shows no FortiToken Mobile error. */
  readonly applianceUnaffected: boolean;
}

type Suggesting = Finding & { readonly suggests: FaultId };

/** Root causes, most severe first. A fault that a deeper one explains is a consequence of that one and no cause. */
export function findCauses(states: JudgedStates, context: CauseContext): readonly Cause[] {
  const causes = [...states.values()]
    .filter(({ state }) => state !== 'blocked')
    .flatMap((judged) => causesOf(judged, states, context));
  return causes.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

function causesOf(judged: JudgedState, states: JudgedStates, context: CauseContext): readonly Cause[] {
  const suggesting = judged.assessment.findings.filter(
    (finding): finding is Suggesting => finding.suggests !== null && finding.level !== 'unknown',
  );
  const bySubject = Map.groupBy(suggesting, (finding) => faultSubject(finding, context));
  const groups = [...bySubject].map(([subject, findings]) => groupOf(subject, findings));
  const leaders = leadersOf(groups);
  const followers = Map.groupBy(groups, (group) => leaderOf(group, leaders));
  const attached = attachedTo(judged.assessment.id, states);
  return (followers.get(null) ?? []).map((group) => {
    const elsewhere = (followers.get(group) ?? []).flatMap(({ findings }) => findings).slice(0, MOST_ATTACHED);
    // Another warning, such as that of a service, explains nothing of what FortiAuthenticator complains of.
    const explains = group.main.level === 'broken' || isSmallShare(group.main);
    return buildCause(
      { ...group, stage: judged.assessment.id, attached: explains ? attached : [], elsewhere },
      states,
      context,
    );
  });
}

/** What points at one cause of one subject. */
interface Group {
  readonly subject: string;
  readonly findings: readonly Suggesting[];
  readonly main: Suggesting;
}

function groupOf(subject: string, findings: readonly Suggesting[]): Group {
  const main = mainFinding(findings);
  // A resolver that fails for the name of a service alone is told with that name.
  return {
    subject: main.suggests === 'resolver-unreachable' ? (main.facts?.host ?? subject) : subject,
    findings,
    main,
  };
}

function leadersOf(groups: readonly Group[]): ReadonlyMap<FaultId, Group> {
  const broken = groups.filter(
    ({ main }) => main.level === 'broken' && PATH.includes(CAUSE_PRECONDITIONS[main.suggests]),
  );
  return new Map(broken.toReversed().map((group) => [group.main.suggests, group]));
}

/**
 * What is wrong at a service just as it is at the licence server, on the way that they share, is one fault: a policy
 * that inspects everything is told once. Null: it is a fault of its own.
 */
function leaderOf({ main }: Group, leaders: ReadonlyMap<FaultId, Group>): Group | null {
  return main.level === 'warning' ? (leaders.get(main.suggests) ?? null) : null;
}

/**
 * Several resolvers that fail for one name are one fault, as is one that fails for several; several mail servers that
 * fail are several.
 */
function faultSubject({ suggests, subject, facts }: Suggesting, context: CauseContext): string {
  if (suggests === 'resolver-unreachable') return context.host;
  return CAUSE_PRECONDITIONS[suggests] === 'name-resolution' ? (facts?.host ?? context.host) : subject;
}

/**
 * Which of several explanations of one fault is told: the worst level first, then the deepest in the catalogue's order.
 */
const DEEPEST_FIRST: readonly FaultId[] = [
  'answer-hijacked',
  'name-not-found',
  'resolver-unreachable',
  'tls-intercepted',
  'tls-interception-suspected',
  'tls-blocked',
  'certificate-broken',
];
const LEVELS: readonly Finding['level'][] = ['broken', 'warning', 'note'];

function mainFinding(findings: readonly Suggesting[]): Suggesting {
  return findings.reduce((best, next) => (rank(next) < rank(best) ? next : best));
}

function rank(finding: Suggesting): number {
  const depth = DEEPEST_FIRST.indexOf(finding.suggests);
  // Of two that say the same, the one that leaves no other explanation.
  const doubt = finding.confidence === 'suspected' ? 1 : 0;
  return LEVELS.indexOf(finding.level) * 100 + (depth === -1 ? DEEPEST_FIRST.length : depth) * 2 + doubt;
}

/** A thousand appliances may complain of one fault, and a thousand hosts have it: enough to be believed. */
const MOST_ATTACHED = 20;

/** What the explained preconditions saw of the same fault. */
function attachedTo(id: PreconditionId, states: JudgedStates): readonly Finding[] {
  return EXPLANATIONS.filter(({ by, evidence }) => by === id && evidence)
    .flatMap((explanation) => {
      const explained = states.get(explanation.id);
      return explained?.blockedBy.includes(id) === true ? explained.assessment.findings : [];
    })
    .filter((finding) => finding.level === 'broken' || finding.level === 'warning')
    .slice(0, MOST_ATTACHED);
}

interface Fault {
  /** Where it was found. */
  readonly stage: PreconditionId;
  readonly subject: string;
  readonly main: Suggesting;
  readonly findings: readonly Finding[];
  readonly attached: readonly Finding[];
  /** The same at other targets. */
  readonly elsewhere: readonly Finding[];
}

function buildCause(fault: Fault, states: JudgedStates, context: CauseContext): Cause {
  const { main } = fault;
  const unclear = unclearStages(main.suggests, states);
  const facts = { ...factsOf(fault, context), ...(unclear.length === 0 ? {} : { unclear: unclearText(unclear) }) };
  const entry = entryOf(main, facts);
  const precondition = brokenBy(fault);
  return {
    id: main.suggests,
    precondition,
    severity: severityOf(entry, main),
    confidence: main.confidence ?? 'confirmed',
    subject: fault.subject,
    product: facts.product ?? null,
    summary: summaryOf(entry, facts, main, context),
    // That something cannot be seen is so at any level.
    impact: impactOf(main.level === 'broken' || entry.impact === 'blind' ? entry.impact : 'none', context.activation),
    evidence: [...fault.findings, ...fault.attached, ...fault.elsewhere, ...witnessesOf(unclear)].map((finding) =>
      evidenceLine(finding, fault.subject),
    ),
    consequences: [...states].filter(([, { blockedBy }]) => blockedBy.includes(precondition)).map(([id]) => id),
    remedy: [...(facts.clean === undefined ? [] : [COMPARE_ADDRESSES]), ...remedyOf(entry, facts)].map((step) =>
      fill(step, facts),
    ),
  };
}

/** On the path a cause breaks the stage at which it was found: a server that is down may show at its port already. */
function brokenBy({ stage, main }: Fault): PreconditionId {
  const usual = CAUSE_PRECONDITIONS[main.suggests];
  return PATH.includes(usual) && PATH.includes(stage) ? stage : usual;
}

function entryOf({ suggests, kind, advice }: Suggesting, { proxy, unclear }: WordingFacts): CauseEntry {
  const entry: CauseEntry = CATALOGUE[suggests];
  const { summary, remedy } = (kind === undefined ? undefined : entry.kinds?.[kind]) ?? entry;
  return {
    ...entry,
    summary,
    remedy,
    ...(proxy === undefined ? {} : entry.throughProxy),
    ...(unclear === undefined ? {} : entry.unclearPath),
    ...advice,
  };
}

function factsOf({ subject, main, findings, attached }: Fault, context: CauseContext): WordingFacts {
  const base: WordingFacts = {
    subject,
    host: context.host,
    port: String(context.port),
    ...(context.source === null ? {} : { source: context.source }),
  };
  const { clean: _, ...all } = [...attached, ...findings, main].reduce<WordingFacts>(
    (facts, finding) => ({ ...facts, ...finding.facts }),
    base,
  );
  // What is found with it may be about a service, or about an address that does not decide.
  const { host = base.host, port = base.port, clean } = main.facts ?? {};
  return { ...all, host, port, ...(clean === undefined ? {} : { clean }) };
}

/** A fault of one family or of one member is looked for in another place than one of the whole way. */
const ONE_ADDRESS = ' Seen at {address}, not at {clean}.';
const COMPARE_ADDRESSES =
  'Compare how {address} and {clean} are treated: a policy, an inspection profile, a route or an uplink for one ' +
  'alone is the usual reason.';

/** Firewall policies match source addresses: what stops this machine may let FortiAuthenticator through. */
const SEEMS_UNAFFECTED =
  ' The log of FortiAuthenticator shows no error so far: its own path may differ from that of this machine.';

function summaryOf(
  entry: CauseEntry,
  facts: WordingFacts,
  main: Suggesting,
  { applianceUnaffected }: CauseContext,
): string {
  const onThePath = PATH.includes(CAUSE_PRECONDITIONS[main.suggests]) && main.level === 'broken';
  const text = `${entry.summary}${facts.clean === undefined ? '' : ONE_ADDRESS}`;
  return `${fill(text, facts)}${onThePath && applianceUnaffected ? SEEMS_UNAFFECTED : ''}`;
}

function severityOf(entry: CauseEntry, main: Finding): Severity {
  if (main.level === 'note') return 'info';
  return main.level === 'warning' && entry.severity === 'critical' ? 'warning' : entry.severity;
}

function remedyOf(entry: CauseEntry, { product }: WordingFacts): readonly string[] {
  return (
    (product === undefined ? undefined : (entry.productRemedy?.[product] ?? entry.anyProductRemedy)) ?? entry.remedy
  );
}

/** One line for a person: the subject of the cause itself is not said again. */
function evidenceLine(finding: Finding, subject: string): string {
  const text = `expected ${inSentence(finding.expected)}, got ${inSentence(finding.actual)}`;
  return finding.subject === subject ? text : `${finding.subject}: ${text}`;
}

/** Findings begin with a capital where they stand alone; names and abbreviations keep theirs. */
function inSentence(text: string): string {
  return text.replace(/^[A-Z](?=[a-z]* )/u, (letter) => letter.toLowerCase());
}
