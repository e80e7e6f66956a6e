import type { EpochMs } from '../core/clock.ts';
import type { Culprit } from '../core/license/firewall.ts';
import type { Severity } from '../core/severity.ts';
import type { ActivationContext } from '../core/license/appliance.ts';

/**
 * The result of judging one expectation against the observations. All output for users (terminal, page, mail, log) is
 * based on these findings.
 */
export interface Finding<C extends string = string> {
  /** Constant name of the expectation in kebab-case: `chain-verifies-under-pin`. */
  readonly rule: string;
  /** The checked object: `fortitokenmobile.fortinet.com:443`, a resolver, a mail server. */
  readonly subject: string;
  /**
   * One plain sentence for readers who see the subject next to it. Names certificates by their common names and
   * contains no text from other parties.
   */
  readonly claim: string;
  readonly expected: string;
  /** The full observation, including complete lists and names, if the claim and the quote do not contain all of it. */
  readonly actual?: string;
  /** Text from a log or a peer that the claim is based on. */
  readonly quote?: string;
  /** When it was last seen, if before this round. */
  readonly at?: EpochMs;
  /** The source of the finding. Absent if it comes from this round's own check. */
  readonly witness?: Witness;
  /** Full names of the items that the claim calls by common name. */
  readonly fullNames?: readonly string[];
  /** Effect on its own precondition. `note` is informational, not a fault; `unknown` could not be judged. */
  readonly level: FindingLevel;
  /** The cause, unless a deeper fault explains the finding; null for notes and unknowns. */
  readonly suggests: C | null;
  /** `suspected` if there are other possible explanations. Absent means `confirmed`. */
  readonly confidence?: Confidence;
  /** The kind of the cause, if known. Selects the summary and the remedy. */
  readonly kind?: string;
  /** Preconditions whose faults can cause this finding, if not all that can explain its precondition. */
  readonly explainedBy?: readonly string[];
  /** Names of the affected appliances, if not all are affected. */
  readonly concerns?: readonly string[];
  /** Other addresses of the same target that work without problems. */
  readonly clean?: readonly string[];
  readonly facts?: FindingFacts;
  /** The firewall policy responsible, as reported by the firewall. */
  readonly culprit?: Culprit;
  /** Advice that is more specific than the catalogue of causes, such as the explanation of a log signature. */
  readonly advice?: Advice;
}

/** A finding before its level is decided. */
export type FindingContent<C extends string = string> = Omit<Finding<C>, 'level' | 'suggests'>;

/** Returns the full text of the observation. */
export function actualOf({ claim, quote, actual }: Pick<Finding, 'claim' | 'quote' | 'actual'>): string {
  const text = claim.replace(/\.$/u, '');
  return actual ?? (quote === undefined ? text : `${text}: ${quote}`);
}

/** The reported parts of a finding, without its subject. */
export type Told = Pick<Finding, 'rule' | 'claim' | 'expected' | 'actual' | 'quote' | 'at' | 'witness' | 'fullNames'>;

/** Returns an informational finding that is not a fault. */
export function note(told: FindingContent): Finding<never> {
  return { ...told, level: 'note', suggests: null };
}

/** Returns a finding that could not be judged. */
export function unknown(told: FindingContent): Finding<never> {
  return { ...told, level: 'unknown', suggests: null };
}

/** Reports whether a finding breaks or weakens its precondition. */
export function isFault({ level }: Pick<Finding, 'level'>): boolean {
  return level === 'broken' || level === 'warning';
}

type TextFacts = Omit<FindingFacts, 'security'>;

/** Returns the known facts. */
export function known(facts: { readonly [K in keyof TextFacts]: TextFacts[K] | null | undefined }): TextFacts {
  const entries = Object.entries(facts);
  return Object.fromEntries(entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}

/** Replaces the catalogue text for a cause. */
export interface Advice {
  readonly summary: string;
  readonly remedy: readonly Step[];
}

export type FindingLevel = 'broken' | 'warning' | 'note' | 'unknown';

/** Values for placeholders in the texts of a cause (summary, remedy). A general word is used for unknown values. */
export interface FindingFacts {
  /** Host of the affected service. If absent, the finding is about the licence server. */
  readonly host?: string;
  readonly port?: string;
  readonly address?: string;
  /** CONNECT proxy on the path, `host:port`. */
  readonly proxy?: string;
  readonly resolver?: string;
  readonly product?: string;
  /** Short name of the certificate issuer, as used by an inspecting device that is not in the catalogue. */
  readonly issuer?: string;
  readonly appliance?: string;
  /** Describes the failure of an interface; used after its name: `does not answer`. */
  readonly failing?: string;
  /** Serial number of the appliance. */
  readonly serial?: string;
  /** Serial number of the unit that the licence belongs on. In a cluster, this is the active member. */
  readonly primary?: string;
  /** Serial number of the unit that holds the licence. */
  readonly holder?: string;
  readonly license?: string;
  /** How long something took, and the limit: `90 min`. */
  readonly waited?: string;
  readonly life?: string;
  /** Deadline. */
  readonly date?: string;
  /** The configured value, if a different one was found. */
  readonly configured?: string;
  readonly found?: string;
  /** The firewall that was asked for the policy: `FortiGate 10.0.0.1`. */
  readonly firewall?: string;
  readonly policy?: string;
  readonly profile?: string;
  /** Virtual domain of that firewall. */
  readonly vdom?: string;
  /** Interfaces of that policy, `port2, dmz`. Empty if the firewall did not return them in readable form. */
  readonly incoming?: string;
  readonly outgoing?: string;
  /** Source NAT of that policy: `disable`, `enable`, or `enable` and its pools, `enable, pool-1`. */
  readonly nat?: string;
  readonly schedule?: string;
  /** Source address seen by the firewall. */
  readonly source?: string;
  /** Meaning of a log line, one sentence without a full stop, and its report in at most 27 characters. */
  readonly meaning?: string;
  readonly said?: string;
  /** Security of the mail server connection. */
  readonly security?: 'starttls' | 'tls' | 'none';
  /** The stages of this machine's path that are not `ok`: `Genuine TLS is unknown`. */
  readonly unclear?: string;
  /** The judgement of a certificate, without a full stop. */
  readonly judgement?: string;
}

export type Confidence = 'confirmed' | 'suspected';

/** A root cause that a person can act on. Its JSON form is part of the contract (`check --json`). */
export interface Cause extends Remedy {
  readonly id: string;
  readonly precondition: string;
  readonly severity: Severity;
  readonly confidence: Confidence;
  /** The broken object: a host and port, a resolver, a mail server, a licence. With `id` it identifies the cause. */
  readonly subject: string;
  /** The inspecting product, if it is in the catalogue. */
  readonly product: string | null;
  /** The firewall policy responsible. Absent if no firewall was asked or its answer does not explain the cause. */
  readonly culprit?: Culprit;
  /**
   * The error in FortiAuthenticator's log, in at most 27 characters. Absent if the cause does not come from its log.
   */
  readonly said?: string;
  /** One sentence. */
  readonly summary: string;
  /** Current effect on users. */
  readonly impact: string;
  readonly evidence: readonly string[];
  /** Preconditions that this cause blocks. */
  readonly consequences: readonly string[];
}

/** A marked placeholder in a command that has to be filled in by hand before the command is run. */
export interface Blank {
  /** The placeholder as it appears in the command. */
  readonly name: string;
  /** The value to insert. */
  readonly meaning: string;
}

/** One step of a remedy in its final form. Its JSON form is part of the contract (`check --json`). */
export interface RemedyStep {
  readonly text: string;
  /** A block of commands to copy; null if the step is done by hand. */
  readonly commands: string | null;
  /** The block of commands that undoes the step; null if the step changes nothing. */
  readonly undo: string | null;
  /** The command line for these blocks. */
  readonly syntax: Syntax | null;
  /** Placeholders to fill in first. */
  readonly blanks: readonly Blank[];
}

/** A remedy in both forms: as sentences, and as the steps that they were made from. */
export interface Remedy {
  readonly remedy: readonly string[];
  readonly remedySteps: readonly RemedyStep[];
}

/** Returns a step without commands. */
export function sentenceStep(text: string): RemedyStep {
  return { text, commands: null, undo: null, syntax: null, blanks: [] };
}

/** A block of commands with its label. */
export interface Block {
  /** The command line that the block is for. */
  readonly place: string;
  /** Names the command line and whether the block is ready. A block is ready only if it has no placeholders. */
  readonly label: string;
  /** A sentence that lists the values to fill in; empty if the block is ready. */
  readonly missing: string;
  /** Lines for copying, never wrapped. */
  readonly text: string;
}

const PLACES: Readonly<Record<Syntax, string>> = {
  shell: 'Shell',
  fortios: 'FortiGate CLI',
  fortiauthenticator: 'FortiAuthenticator CLI',
};

/** Returns the blocks of a step: its commands, and the commands that undo it. */
export function blocksOf({ commands, undo, syntax, blanks }: RemedyStep): readonly Block[] {
  return [
    ...(commands === null ? [] : [blockOf(syntax === null ? 'Commands' : PLACES[syntax], commands, blanks)]),
    ...(undo === null ? [] : [blockOf('The way back', undo, blanks)]),
  ];
}

function blockOf(place: string, text: string, blanks: readonly Blank[]): Block {
  const left = blanks.filter(({ name }) => text.includes(name));
  return {
    place,
    label: `${place}, ${left.length === 0 ? 'ready to copy' : 'not ready'}`,
    missing: left.map(({ name, meaning }) => `${name} is ${meaning}`).join(', '),
    text,
  };
}

/** Returns the heading of a block in output without folding. */
export function headOf({ label, missing }: Block): string {
  return missing === '' ? `${label}:` : `${label}: ${missing}:`;
}

/** Declares a check and its precondition. This is all that the engine uses. Checks refer to each other only by id. */
export interface Check<Id extends string = string, C extends string = string> {
  readonly id: Id;
  /** Human-readable name. */
  readonly title: string;
  /** Deeper checks that can explain why this precondition is broken or unknown. */
  readonly dependsOn: readonly Dependency[];
  readonly causes: Readonly<Record<C, CauseWords>>;
  /** Suggested step if the precondition stays unknown and its findings contain no advice. */
  readonly unknownRemedy: Step;
  /** The check is a stage of the path from this machine to the licence server. */
  readonly onPath?: true;
  /** While this precondition is broken, lookups by name and targets outside this network cannot be judged. */
  readonly isWayOut?: true;
  /**
   * A single lost connection can cause this fault, and the next connection may work. Witnesses that also lost a
   * connection therefore prove nothing more.
   */
  readonly byOneConnection?: true;
}

/** A cause with the check that it belongs to. */
interface KnownCause {
  readonly check: Check;
  readonly words: CauseWords;
}

/**
 * Returns a cause by id.
 * @throws Error if no check has such a cause
 */
export function knownCause(checks: readonly Check[], cause: string): KnownCause {
  for (const check of checks) {
    const words = Object.hasOwn(check.causes, cause) ? check.causes[cause] : undefined;
    if (words !== undefined) return { check, words };
  }
  throw new Error(`Cannot tell the cause "${cause}": no check has it`);
}

/** A dependency on a deeper check, which is identified by its id. */
export type Dependency = Need | Source | Explanation;

/** While the deeper check is broken or blocked, this one cannot be judged on its own and is `blocked`. */
interface Need {
  readonly kind: 'needs';
  readonly by: string;
  /**
   * Returns false if this check's own observations prove its state, whatever is wrong with the deeper one.
   * @default always
   */
  readonly when?: (own: Assessment) => boolean;
}

/**
 * This check judges data read by the deeper one. While that one is unknown, this one is too, and only one is reported.
 * Nothing is blocked.
 */
interface Source {
  readonly kind: 'reads';
  readonly by: string;
}

/** A fault of the deeper check explains the findings of this one, which is then `blocked` and not a separate cause. */
export interface Explanation {
  readonly kind: 'explained';
  readonly by: string;
  readonly when: (findings: readonly Finding[]) => boolean;
  /** The findings are evidence for the deeper cause (a FortiAuthenticator log line, the policy that inspects). */
  readonly evidence: boolean;
  /** Warnings are explained as well: all of them, or only suspected ones. */
  readonly warnings?: 'all' | 'suspected';
  /** Selects the warnings of the deeper check that are sufficient to explain a warning. */
  readonly byWarning?: (finding: Finding) => boolean;
}

/** Reports whether nothing is broken except by this cause. */
export function suggestsOnly(cause: string): Explanation['when'] {
  return (findings) => findings.every(({ level, suggests }) => level !== 'broken' || suggests === cause);
}

/** Reports whether no other rules than these are broken. */
export function breaksOnly(rules: readonly string[]): Explanation['when'] {
  return (findings) => findings.every(({ level, rule }) => level !== 'broken' || rules.includes(rule));
}

/** Reports whether no other rules than these are broken or raise a warning. */
export function concernsOnly(rules: readonly string[]): Explanation['when'] {
  return (findings) => findings.every((finding) => !isFault(finding) || rules.includes(finding.rule));
}

/** The result of judging one precondition on its own, before the path as a whole is diagnosed. */
export interface Assessment<C extends string = string> {
  readonly id: string;
  /**
   * `unjudged` means that the check should have run, but had nothing to check or was prevented by a problem of our own.
   */
  readonly kind: 'judged' | 'unjudged' | 'not-configured';
  readonly findings: readonly Finding<C>[];
  /** One sentence: the good state if there are no findings, or the reason why nothing was judged. */
  readonly summary: string;
  /** The check is listening and has received nothing yet, so its unknown state is not a problem. */
  readonly waits?: true;
}

/** Adds findings from other sources to an assessment. `unjudged` is kept; `not-configured` becomes `judged`. */
export function withFindings(own: Assessment, findings: readonly Finding[]): Assessment {
  if (findings.length === 0) return own;
  return {
    ...own,
    kind: own.kind === 'not-configured' ? 'judged' : own.kind,
    findings: [...own.findings, ...findings],
  };
}

/**
 * `blocked` means that a dependency is broken. `unknown` means that it could not be judged, including because of a
 * problem of our own.
 */
export type PreconditionState = (typeof PRECONDITION_STATES)[number];

export const PRECONDITION_STATES = ['ok', 'warning', 'broken', 'blocked', 'unknown', 'not-configured'] as const;

/**
 * The source of a fault, if it is not this machine's own check. The result of such a check can change a moment later:
 * lost, refused and reset connections within one second can come from a firewall that reloads its policies or a server
 * that restarts. Each of these sources reports something that such a moment does not explain:
 * - `appliance-log`: FortiAuthenticator's own log. It was affected too, and its errors would be reported on their own.
 * - `firewall`: reports how it handles the traffic, from its policy or its log. This is a statement, not a loss.
 * - `other-host`: shows the same observation, and it is not a loss, such as a certificate from the same inspecting
 * authority.
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
  /** As in `Assessment`. Not part of the contract. */
  readonly waits?: true;
}

/** The result of one round. Its JSON form is the contract of `check --json`. */
export interface Diagnosis {
  readonly ready: Readiness;
  readonly site: string;
  readonly at: EpochMs;
  /** All preconditions, in the order of the path. */
  readonly preconditions: readonly PreconditionStatus[];
  /** Most severe first, with at most one critical cause per fault. */
  readonly causes: readonly Cause[];
  /** Causes on which two witnesses agree, so that another check would prove nothing more. Not part of the contract. */
  readonly corroborated?: readonly Pick<Cause, 'id' | 'subject'>[];
  /** The configuration file used for this diagnosis. Absent if the defaults were used. Not part of the contract. */
  readonly configFile?: string;
}

/**
 * The texts for a cause, independent of any incident. Texts can contain `{placeholders}` (see remedy-words.ts). The
 * runbooks print the same texts, so that mail, page and runbook always agree.
 */
export interface CauseWords {
  /** Severity if the cause breaks its precondition. If it only weakens it, the severity is at most `warning`. */
  readonly severity: Severity;
  /** Clause for the runbook heading: "TLS is intercepted". */
  readonly title: string;
  /** Short description for mail subjects, at most 32 characters and without a host, so that it is never truncated. */
  readonly short: string;
  /** Used instead of `short` for a warning. */
  readonly warningShort?: string;
  /** Used instead of `short` for these inspecting products, by name in config/inspection-products.yaml. */
  readonly productShort?: Readonly<Record<string, string>>;
  /** Used instead of `short` for any other known product; contains `{product}`. */
  readonly anyProductShort?: string;
  /** Half a line for lists, if different from the title; can contain `{subject}`. */
  readonly headline?: string;
  /** Used instead of `headline` if the inspecting product is known; can contain `{product}`. */
  readonly productHeadline?: string;
  /** Used instead of `headline` for a warning. */
  readonly warningHeadline?: string;
  /** Set if a firewall policy can be the reason: the action of that policy, and texts that name it. */
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
   * Sources for the vendor facts in these texts: `ta-p/N` is https://community.fortinet.com/…/ta-p/N, `docs:X` is
   * https://docs.fortinet.com/document/X.
   */
  readonly sources?: readonly string[];
  /**
   * A runbook shared by several causes instead of one for each: its file, its heading, and a first sentence that
   * replaces the summaries of its causes. The heading is by default the title of the first cause.
   */
  readonly runbook?: { readonly name: string; readonly title?: string; readonly summary?: string };
  /** Steps for an administrator, in order. */
  readonly remedy: readonly Step[];
  /** Texts used instead if the kind of fault is known. */
  readonly kinds?: Readonly<Record<string, KindWords>>;
  /**
   * Used instead while a stage of this machine's path is not `ok` (`facts.unclear`), because both can show the same
   * fault.
   */
  readonly unclearPath?: { readonly summary: string; readonly remedy: readonly Step[] };
  /** Used instead while this machine's path is broken. The remedy needs the path, so the cause is then critical. */
  readonly brokenPath?: { readonly summary: string; readonly remedy: readonly Step[] };
  /** Steps used instead for these inspecting products, by name in config/inspection-products.yaml. */
  readonly productRemedy?: Readonly<Record<string, readonly Step[]>>;
  /** Steps used instead for any other known product. */
  readonly anyProductRemedy?: readonly Step[];
  /** Steps used instead if the connection uses a proxy (`facts.proxy`), which comes before any firewall. */
  readonly proxyRemedy?: readonly Step[];
  /** If a fault has several causes, the one with the lowest rank is reported. Causes without a rank come last. */
  readonly rank?: number;
  /** The more general cause that this one can develop into. It is then the same fault. */
  readonly partOf?: string;
  /**
   * Which findings count as one fault. By default, those with the same subject. `per-host`: all findings for one host,
   * from any source. `for-all-hosts`: findings for several hosts as well, such as a resolver that fails for many names.
   */
  readonly oneFault?: 'per-host' | 'for-all-hosts';
}

/** Texts for one kind of a cause. */
export interface KindWords {
  /** Clause for the runbook heading: "another server name passes". */
  readonly title: string;
  readonly summary: string;
  readonly remedy: readonly Step[];
  /** Overrides the `unclearPath` of the cause. */
  readonly unclearPath?: CauseWords['unclearPath'];
}

/** The command line that a block is for: a POSIX shell, the FortiGate CLI, or the FortiAuthenticator CLI. */
export const SYNTAXES = ['shell', 'fortios', 'fortiauthenticator'] as const;
type Syntax = (typeof SYNTAXES)[number];

/** One step of a remedy before placeholders are filled: a sentence, optionally with commands that carry it out. */
export type Step = string | CommandStep;

export interface CommandStep {
  /** A sentence that is complete without the commands. */
  readonly text: string;
  readonly syntax: Syntax;
  /** Lines with placeholders, see `fillCommands` in remedy-words.ts. */
  readonly commands: readonly string[];
  /** Lines that undo the commands; null if the commands change nothing. */
  readonly undo: readonly string[] | null;
}

/** Returns a step with read-only shell commands. */
export function shell(text: string, ...commands: readonly string[]): CommandStep {
  return { text, syntax: 'shell', commands, undo: null };
}

/** Returns a step with read-only FortiGate commands. */
export function fortios(text: string, ...commands: readonly string[]): CommandStep {
  return { text, syntax: 'fortios', commands, undo: null };
}

/** Returns a step with read-only FortiAuthenticator commands. */
export function fortiauthenticator(text: string, ...commands: readonly string[]): CommandStep {
  return { text, syntax: 'fortiauthenticator', commands, undo: null };
}

/** Effects on users that do not depend on anything. */
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

/** The affected part of activation. */
export type ImpactKind = 'activation' | keyof typeof IMPACTS;

/**
 * Returns the current effect on users. Existing tokens are not affected, because they compute their codes on the phone
 * and are verified by FortiAuthenticator itself. End-user activation can be offline since FAC 6.6.1 (Fortinet tips
 * 194050 and 388682).
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
