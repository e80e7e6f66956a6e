import type { EpochMs } from '../core/clock.ts';
import type { Culprit } from '../core/license/firewall.ts';
import type { Severity } from '../core/severity.ts';
import type { ActivationContext } from '../core/license/appliance.ts';

/**
 * One expectation that was judged against what was seen. Everything that a person is told (terminal, page, mail, log)
 * prints these same findings.
 */
export interface Finding<C extends string = string> {
  /** Name of the expectation, kebab-case, constant: `chain-verifies-under-pin`. */
  readonly rule: string;
  /** What was looked at: `fortitokenmobile.fortinet.com:443`, a resolver, a mail server. */
  readonly subject: string;
  /**
   * What was found, in one plain sentence for people who see the subject beside it: certificates by their common names,
   * and no words of others.
   */
  readonly claim: string;
  readonly expected: string;
  /** What was seen, if the claim and the quote do not contain all of it: full lists and full names. */
  readonly actual?: string;
  /** The words of a log or of a peer that the claim rests on. */
  readonly quote?: string;
  /** When it was seen last, where that was before this round. */
  readonly at?: EpochMs;
  /** Who tells it; without, the look of this round. */
  readonly witness?: Witness;
  /** The full names of what the claim calls by its common name. */
  readonly fullNames?: readonly string[];
  /**
   * What it does to its precondition by itself. `note` is worth reading but no fault; `unknown`: could not be judged.
   */
  readonly level: FindingLevel;
  /** The cause that explains it when nothing deeper does; null for notes and unknowns. */
  readonly suggests: C | null;
  /** `suspected`: other explanations of what was seen are left. Without, `confirmed`. */
  readonly confidence?: Confidence;
  /** Which of several kinds of its cause it is, where that is known: it chooses summary and remedy. */
  readonly kind?: string;
  /** The preconditions whose fault can cause it, where not all of those can that explain its own. */
  readonly explainedBy?: readonly string[];
  /** Names of the appliances that suffer from it, where not all do. */
  readonly concerns?: readonly string[];
  /** Other addresses of the same target, at which everything works. */
  readonly clean?: readonly string[];
  readonly facts?: FindingFacts;
  /** The firewall policy that does it, as the firewall itself reports. */
  readonly culprit?: Culprit;
  /** What is known better than the catalogue of causes can say it, as of a text that the log signatures explain. */
  readonly advice?: Advice;
}

/** A finding before it is said what it does to its precondition. */
export type FindingContent<C extends string = string> = Omit<Finding<C>, 'level' | 'suggests'>;

/** What was seen, in full. */
export function actualOf({ claim, quote, actual }: Pick<Finding, 'claim' | 'quote' | 'actual'>): string {
  const text = claim.replace(/\.$/u, '');
  return actual ?? (quote === undefined ? text : `${text}: ${quote}`);
}

/** What is told about one expectation, without where. */
export type Told = Pick<Finding, 'rule' | 'claim' | 'expected' | 'actual' | 'quote' | 'at' | 'witness' | 'fullNames'>;

/** Worth reading, and no fault. */
export function note(told: FindingContent): Finding<never> {
  return { ...told, level: 'note', suggests: null };
}

/** Could not be judged. */
export function unknown(told: FindingContent): Finding<never> {
  return { ...told, level: 'unknown', suggests: null };
}

/** It breaks or weakens its precondition. */
export function isFault({ level }: Pick<Finding, 'level'>): boolean {
  return level === 'broken' || level === 'warning';
}

type TextFacts = Omit<FindingFacts, 'security'>;

/** Those of the facts that are known. */
export function known(facts: { readonly [K in keyof TextFacts]: TextFacts[K] | null | undefined }): TextFacts {
  const entries = Object.entries(facts);
  return Object.fromEntries(entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}

/** Takes the place of what the catalogue says about a cause. */
export interface Advice {
  readonly summary: string;
  readonly remedy: readonly Step[];
}

export type FindingLevel = 'broken' | 'warning' | 'note' | 'unknown';

/** What the texts of a cause (summary, remedy) may be filled in with; what is not known keeps a general wording. */
export interface FindingFacts {
  /** Of the service that it is about; without, it is about the licence server. */
  readonly host?: string;
  readonly port?: string;
  readonly address?: string;
  /** CONNECT proxy that the way leads through, `host:port`. */
  readonly proxy?: string;
  readonly resolver?: string;
  readonly product?: string;
  /** Who issued the certificate, in a word: what an inspecting device that the catalogue does not know calls itself. */
  readonly issuer?: string;
  readonly appliance?: string;
  /** What an interface fails at, behind its name: `does not answer`. */
  readonly failing?: string;
  /** Serial number of the appliance. */
  readonly serial?: string;
  /** Serial number of the unit that a licence belongs on: of the member of a cluster that is in charge. */
  readonly primary?: string;
  /** Serial number of the unit that holds the licence. */
  readonly holder?: string;
  readonly license?: string;
  /** How long something took, and how long it may take: `90 min`. */
  readonly waited?: string;
  readonly life?: string;
  /** Until when something has to be done. */
  readonly date?: string;
  /** What the configuration says, where something else was found. */
  readonly configured?: string;
  readonly found?: string;
  /** Which one was asked for the policy: `FortiGate 10.0.0.1`. */
  readonly firewall?: string;
  readonly policy?: string;
  readonly profile?: string;
  /** Virtual domain of that firewall. */
  readonly vdom?: string;
  /** Interfaces of that policy, `port2, dmz`; empty: it did not name them readably. */
  readonly incoming?: string;
  readonly outgoing?: string;
  /** Whether that policy translates source addresses: `enable`, `disable`, or `enable` and its pools, `enable, pool-1`. */
  readonly nat?: string;
  /** Schedule of that policy. */
  readonly schedule?: string;
  /** Source address that the firewall sees. */
  readonly source?: string;
  /** What a log line means, one sentence without a full stop, and what it reports in at most 27 characters. */
  readonly meaning?: string;
  readonly said?: string;
  /** How a mail server is spoken to. */
  readonly security?: 'starttls' | 'tls' | 'none';
  /** What on the path of this machine is not `ok`: `Genuine TLS is unknown`. */
  readonly unclear?: string;
  /** What the judgement of a certificate says, without a full stop. */
  readonly judgement?: string;
}

export type Confidence = 'confirmed' | 'suspected';

/** A root cause, told so that a person can act on it. Its JSON form is part of the contract (`check --json`). */
export interface Cause extends Remedy {
  readonly id: string;
  readonly precondition: string;
  readonly severity: Severity;
  readonly confidence: Confidence;
  /** What is broken: a host and port, a resolver, a mail server, a licence. With `id` it identifies the cause. */
  readonly subject: string;
  /** The inspecting product, where the catalogue knows it. */
  readonly product: string | null;
  /** The firewall policy that does it; absent: no firewall was asked, or its answer does not explain the cause. */
  readonly culprit?: Culprit;
  /** What FortiAuthenticator's log reports, in at most 27 characters; absent: the cause does not come from its log. */
  readonly said?: string;
  /** One sentence. */
  readonly summary: string;
  /** What users feel now. */
  readonly impact: string;
  readonly evidence: readonly string[];
  /** Preconditions that are blocked because of it. */
  readonly consequences: readonly string[];
}

/** A word of a command that has to be filled in by hand before it is run: it is marked, and says what belongs there. */
export interface Blank {
  /** As it stands in the command. */
  readonly name: string;
  /** What to put in its place. */
  readonly meaning: string;
}

/** One step of a remedy as it is told. Its JSON form is part of the contract (`check --json`). */
export interface RemedyStep {
  readonly text: string;
  /** A block of lines that does it, as it is copied; null: it is done by hand. */
  readonly commands: string | null;
  /** The block that takes it back; null: nothing is changed. */
  readonly undo: string | null;
  /** Whose command line takes the blocks. */
  readonly syntax: Syntax | null;
  /** What has to be filled in in the blocks first. */
  readonly blanks: readonly Blank[];
}

/** A remedy in both forms: the sentences, and the steps that they are made of. */
export interface Remedy {
  readonly remedy: readonly string[];
  readonly remedySteps: readonly RemedyStep[];
}

/** A step without commands. */
export function sentenceStep(text: string): RemedyStep {
  return { text, commands: null, undo: null, syntax: null, blanks: [] };
}

/** A block with what stands before it. */
export interface Block {
  /** Whose command line takes it, and whether it is ready: only one without a blank is called that. */
  readonly label: string;
  /** What has to be put in first, a sentence; empty where it is ready. */
  readonly missing: string;
  /** Lines that are never wrapped: they are copied as they stand. */
  readonly text: string;
}

const PLACES: Readonly<Record<Syntax, string>> = {
  shell: 'Shell',
  fortios: 'FortiGate CLI',
  fortiauthenticator: 'FortiAuthenticator CLI',
};

/** The blocks of a step: what does it, and what takes it back. */
export function blocksOf({ commands, undo, syntax, blanks }: RemedyStep): readonly Block[] {
  return [
    ...(commands === null ? [] : [blockOf(syntax === null ? 'Commands' : PLACES[syntax], commands, blanks)]),
    ...(undo === null ? [] : [blockOf('The way back', undo, blanks)]),
  ];
}

function blockOf(place: string, text: string, blanks: readonly Blank[]): Block {
  const left = blanks.filter(({ name }) => text.includes(name));
  return {
    label: `${place}, ${left.length === 0 ? 'ready to copy' : 'not ready'}`,
    missing: left.map(({ name, meaning }) => `${name} is ${meaning}`).join(', '),
    text,
  };
}

/** What stands before a block where nothing is folded. */
export function headOf({ label, missing }: Block): string {
  return missing === '' ? `${label}:` : `${label}: ${missing}:`;
}

/**
 * What a check declares about its precondition, and all that the engine knows of it. Checks name each other by their
 * ids alone.
 */
export interface Check<Id extends string = string, C extends string = string> {
  readonly id: Id;
  /** For a person. */
  readonly title: string;
  /** What can explain that it is broken or unknown, a row for each deeper check. */
  readonly dependsOn: readonly Dependency[];
  readonly causes: Readonly<Record<C, CauseWords>>;
  /** What would settle it where it stays unknown and its judgement does not say. */
  readonly unknownRemedy: Step;
  /** A stage of the path from this machine to the licence server. */
  readonly onPath?: true;
  /** What is asked for by name, or beyond this network, cannot be judged while this one is broken. */
  readonly isWayOut?: true;
  /** One lost connection shows its fault, and the next one may work: others that lost one as well prove no more. */
  readonly byOneConnection?: true;
}

/** The check that a cause belongs to, and what is known about the cause. */
interface KnownCause {
  readonly check: Check;
  readonly words: CauseWords;
}

/** @throws Error when no check has such a cause */
export function knownCause(checks: readonly Check[], cause: string): KnownCause {
  for (const check of checks) {
    const words = Object.hasOwn(check.causes, cause) ? check.causes[cause] : undefined;
    if (words !== undefined) return { check, words };
  }
  throw new Error(`Cannot tell the cause "${cause}": no check has it`);
}

/** What a check owes to a deeper one, named by its id. */
export type Dependency = Need | Source | Explanation;

/** While the deeper check is broken or blocked, this one cannot be judged by itself: it is `blocked`. */
interface Need {
  readonly kind: 'needs';
  readonly by: string;
  /** False: what it saw proves it, whatever is wrong with the deeper one. @default always */
  readonly when?: (own: Assessment) => boolean;
}

/** It judges what is read there: while that is unknown, so is this, and it is reported once. Nothing is blocked. */
interface Source {
  readonly kind: 'reads';
  readonly by: string;
}

/** A fault of the deeper check explains what this one found: it is `blocked` then, and no cause of its own. */
export interface Explanation {
  readonly kind: 'explained';
  readonly by: string;
  readonly when: (findings: readonly Finding[]) => boolean;
  /** What it shows belongs to the deeper cause (a log line of FortiAuthenticator, the policy that inspects). */
  readonly evidence: boolean;
  /** It explains a warning as well: any, or what is only suspected. */
  readonly warnings?: 'all' | 'suspected';
  /** Which warning of the deeper one is enough to explain a warning. */
  readonly byWarning?: (finding: Finding) => boolean;
}

/** Nothing but this cause is broken. */
export function suggestsOnly(cause: string): Explanation['when'] {
  return (findings) => findings.every(({ level, suggests }) => level !== 'broken' || suggests === cause);
}

/** Nothing but these rules is broken. */
export function breaksOnly(rules: readonly string[]): Explanation['when'] {
  return (findings) => findings.every(({ level, rule }) => level !== 'broken' || rules.includes(rule));
}

/** Nothing but these rules is broken or makes a warning. */
export function concernsOnly(rules: readonly string[]): Explanation['when'] {
  return (findings) => findings.every((finding) => !isFault(finding) || rules.includes(finding.rule));
}

/** What was found out about one precondition by itself, before the path as a whole is reasoned over. */
export interface Assessment<C extends string = string> {
  readonly id: string;
  /** `unjudged`: it should have been looked at, but there was nothing to look at or our own trouble prevented it. */
  readonly kind: 'judged' | 'unjudged' | 'not-configured';
  readonly findings: readonly Finding<C>[];
  /** One sentence: what is fine when there is no finding, or why it was not judged. */
  readonly summary: string;
  /** It listens, and has heard nothing yet: that it is unknown is no trouble. */
  readonly waits?: true;
}

/**
 * An assessment with what others tell besides. What could not be judged stays `unjudged`; what is not configured here is
 * judged by what they tell.
 */
export function withFindings(own: Assessment, findings: readonly Finding[]): Assessment {
  if (findings.length === 0) return own;
  return {
    ...own,
    kind: own.kind === 'not-configured' ? 'judged' : own.kind,
    findings: [...own.findings, ...findings],
  };
}

/**
 * `blocked`: something it depends on is broken. `unknown`: could not be judged, our own trouble included.
 */
export type PreconditionState = (typeof PRECONDITION_STATES)[number];

export const PRECONDITION_STATES = ['ok', 'warning', 'broken', 'blocked', 'unknown', 'not-configured'] as const;

/**
 * Who tells of a fault, where it is not this machine's own look at what is broken. What such a look shows may be over a
 * moment later: lost, refused and reset connections of one second are a firewall that takes its policies again, or a
 * server that restarts. Each of these tells something that such a moment does not explain:
 * - `appliance-log`: FortiAuthenticator's own log. It suffered too, and its complaint would be told by itself.
 * - `firewall`: says what it does with the traffic, by its policy or its log. That is a statement, not a loss.
 * - `other-host`: shows the same that is no loss, such as a certificate by the same inspecting authority.
 * - `peer`: another agent saw it at another moment.
 */
export type Witness = 'appliance-log' | 'firewall' | 'other-host' | 'peer';

export type Readiness = 'ready' | 'not-ready' | 'unknown';

export interface PreconditionStatus {
  readonly id: string;
  readonly state: PreconditionState;
  /** One sentence. */
  readonly summary: string;
  /** The preconditions that must be fixed first; empty unless `blocked`. */
  readonly blockedBy: readonly string[];
  readonly findings: readonly Finding[];
  /** As in `Assessment`. No part of the contract. */
  readonly waits?: true;
}

/** What is true now: the outcome of one round. Its JSON form is the contract's `check --json`. */
export interface Diagnosis {
  readonly ready: Readiness;
  readonly site: string;
  readonly at: EpochMs;
  /** All of them, in the order of the path. */
  readonly preconditions: readonly PreconditionStatus[];
  /** Most severe first; at most one critical cause for one fault. */
  readonly causes: readonly Cause[];
  /** The causes that two witnesses agree on: another look would prove nothing more. No part of the contract. */
  readonly corroborated?: readonly Pick<Cause, 'id' | 'subject'>[];
  /** The file of the configuration that it was made under; without, the defaults were. No part of the contract. */
  readonly configFile?: string;
}

/**
 * Everything that is said about a cause, before it occurs. Texts may name `{placeholders}` (see wording.ts); the
 * runbooks print the same texts, so that mail, page and runbook never disagree.
 */
export interface CauseWords {
  /** Severity when the cause breaks its precondition; one that only weakens it is a `warning` at most. */
  readonly severity: Severity;
  /** A clause for the heading of the runbook: "TLS is intercepted". */
  readonly title: string;
  /** What is wrong in at most 32 characters and without a host, for the subject of a mail: it is never cut. */
  readonly short: string;
  /** The short form instead where it is a warning. */
  readonly warningShort?: string;
  /** The short form instead when the inspecting product is this one, by its name in config/inspection-products.yaml. */
  readonly productShort?: Readonly<Record<string, string>>;
  /** The short form instead when any other product is known; it names `{product}`. */
  readonly anyProductShort?: string;
  /** What is wrong in half a line, for lists, where it is not the title; it may name `{subject}`. */
  readonly headline?: string;
  /** The headline instead where the inspecting product is known; it may name `{product}`. */
  readonly productHeadline?: string;
  /** The headline instead where it is a warning. */
  readonly warningHeadline?: string;
  /** Set if a firewall policy can be the reason: what that policy does then, and the texts that name it. */
  readonly byFirewall?: {
    readonly action: Culprit['action'];
    /** Half a line and one sentence, each with `{culprit}`. */
    readonly headline: string;
    readonly summary: string;
  };
  /** One sentence. */
  readonly summary: string;
  readonly impact: ImpactKind;
  /**
   * Where the facts of the vendor in these words were seen: `ta-p/N` is https://community.fortinet.com/…/ta-p/N,
   * `docs:X` is https://docs.fortinet.com/document/X.
   */
  readonly sources?: readonly string[];
  /** The runbook that several causes share, in place of one for each: its file, heading and first sentence. */
  readonly runbook?: { readonly name: string; readonly title: string; readonly summary: string };
  /** Steps for an administrator, in order. */
  readonly remedy: readonly Step[];
  /** What is told instead where the kind of fault is known. */
  readonly kinds?: Readonly<Record<string, KindWords>>;
  /**
   * What is told instead while something on the path of this machine is not `ok` (`facts.unclear`): both views may show
   * one fault.
   */
  readonly unclearPath?: { readonly summary: string; readonly remedy: readonly Step[] };
  /**
   * What is told instead while the path of this machine is broken: what has to be done needs it, and it is critical
   * then.
   */
  readonly brokenPath?: { readonly summary: string; readonly remedy: readonly Step[] };
  /** The steps instead when the inspecting product is this one, by its name in config/inspection-products.yaml. */
  readonly productRemedy?: Readonly<Record<string, readonly Step[]>>;
  /** The steps instead when any other product is known. */
  readonly anyProductRemedy?: readonly Step[];
  /** The steps instead where the connection leads through a proxy (`facts.proxy`), which comes before any firewall. */
  readonly proxyRemedy?: readonly Step[];
  /** Of several causes of one fault the one with the lowest rank is told; those without a rank come last. */
  readonly rank?: number;
  /** The cause of the whole that this one is a part of: grown into it, it is the same fault. */
  readonly partOf?: string;
  /**
   * Which findings are one fault; without, those with the same subject. `per-host`: all of one host, whoever says it.
   * `for-all-hosts`: those of several hosts too, as of a resolver that fails for many names.
   */
  readonly oneFault?: 'per-host' | 'for-all-hosts';
}

/** One of several kinds of a cause. */
export interface KindWords {
  /** A clause for the heading in the runbook: "another server name passes". */
  readonly title: string;
  readonly summary: string;
  readonly remedy: readonly Step[];
  /** Of its own where it has one: otherwise that of the cause. */
  readonly unclearPath?: CauseWords['unclearPath'];
}

/** Whose command line understands a block: a POSIX shell, the CLI of a FortiGate, or that of FortiAuthenticator. */
export const SYNTAXES = ['shell', 'fortios', 'fortiauthenticator'] as const;
type Syntax = (typeof SYNTAXES)[number];

/** One step of a remedy before it is told: a sentence, or a sentence with the commands that do what it says. */
export type Step = string | CommandStep;

export interface CommandStep {
  /** Says what to do without the commands too. */
  readonly text: string;
  readonly syntax: Syntax;
  /** Lines, with the placeholders of command-words.ts. */
  readonly commands: readonly string[];
  /** Lines that take back what the commands change; null where they only look. */
  readonly undo: readonly string[] | null;
}

/** Commands of a POSIX shell that change nothing. */
export function shell(text: string, ...commands: readonly string[]): CommandStep {
  return { text, syntax: 'shell', commands, undo: null };
}

/** Commands of a FortiGate that change nothing. */
export function fortios(text: string, ...commands: readonly string[]): CommandStep {
  return { text, syntax: 'fortios', commands, undo: null };
}

/** Commands of FortiAuthenticator that change nothing. */
export function fortiauthenticator(text: string, ...commands: readonly string[]): CommandStep {
  return { text, syntax: 'fortiauthenticator', commands, undo: null };
}

/** What users feel, where it does not depend on anything. */
const IMPACTS = {
  codes: 'Activation codes do not reach users by e-mail; tokens that are already active keep working.',
  push: 'Phones show no push notifications; codes that users type keep working.',
  answers: 'Users may not be able to answer push notifications; codes that they type keep working.',
  sms: 'Codes do not reach users by SMS; mail and tokens that are already active keep working.',
  fortigate: 'Tokens of a FortiGate cannot be activated; those that are already active keep working.',
  cloud: 'Logins with tokens of FortiToken Cloud may fail.',
  assignment:
    'The licence server refuses this FortiAuthenticator: tokens of this licence cannot be provisioned or activated; ' +
    'tokens that are already active keep working.',
  tokens: 'New users cannot be given a token once none is left; tokens that are already assigned keep working.',
  disabled:
    'The users who were disabled cannot log in. A user who is re-enabled without a new token can log in without the ' +
    'second factor.',
  appliance: 'Activations, or logins with codes, may fail now or later.',
  clock:
    'From a difference of 60 s on, FortiAuthenticator rejects time-based codes; HOTP tokens do not depend on the ' +
    'clock.',
  blind: 'Activation may work; ftm-watch cannot see this part of it.',
  uncertain: 'Activations may fail for some users or at times; tokens that are already active keep working.',
  service: 'What needs this host may fail; activation itself does not need it.',
  none: 'None now.',
} as const;

/** Which part of activation suffers. */
export type ImpactKind = 'activation' | keyof typeof IMPACTS;

/**
 * What users feel now. Existing tokens compute their codes on the phone and are verified by FortiAuthenticator itself,
 * so none of this stops them; end-user activation can be offline since FAC 6.6.1 (Fortinet tips 194050 and 388682).
 */
export function impactOf(kind: ImpactKind, context: ActivationContext): string {
  return kind === 'activation' ? activationImpact(context) : IMPACTS[kind];
}

function activationImpact(context: ActivationContext): string {
  const license = context.licenseActive === true ? 'New tokens' : 'New tokens and licences';
  const offline =
    context.offlineActivation === true
      ? ' Users can still activate offline (FortiAuthenticator 6.6.1 and later).'
      : context.offlineActivation === null
        ? ' From FortiAuthenticator 6.6.1 on, users can activate offline.'
        : '';
  return `${license} cannot be activated; tokens that are already active keep working.${offline}`;
}
