import type { EpochMs } from '../core/clock.ts';
import type { Culprit } from '../core/license/firewall.ts';
import type { Severity } from '../core/severity.ts';
import type { ActivationContext } from '../core/license/appliance.ts';

/**
 * The result of comparing an expectation with the observations. All output for users (terminal, page, mail, log) is
 * based on findings.
 */
export interface Finding<C extends string = string> {
  /** The name of the expectation in kebab-case, such as `chain-verifies-under-pin`. */
  readonly rule: string;
  /** The checked object, such as `fortitokenmobile.fortinet.com:443`, a resolver or a mail server. */
  readonly subject: string;
  /**
   * The observation as a plain sentence, which is shown next to the subject. A claim contains no text from other
   * parties, and certificates are identified by their common names.
   */
  readonly claim: string;
  readonly expected: string;
  /** The full observation with complete lists and names, if the claim and the quote do not contain everything. */
  readonly actual?: string;
  /** The text from a log or a peer on which the claim is based. */
  readonly quote?: string;
  /** When the observation was last made, if it was made before this round. */
  readonly at?: EpochMs;
  /** The source of the finding; absent if the finding comes from this round's checks. */
  readonly witness?: Witness;
  /** The full names of certificates that the claim identifies by their common names. */
  readonly fullNames?: readonly string[];
  /** The effect on the precondition. `note` is informational. `unknown` means that a check was not possible. */
  readonly level: FindingLevel;
  /** The cause, unless a deeper fault explains the finding; null for the levels `note` and `unknown`. */
  readonly suggests: C | null;
  /** `suspected` if there are other possible explanations; absent means `confirmed`. */
  readonly confidence?: Confidence;
  /** The kind of the cause, which selects the summary and the remedy; absent if unknown. */
  readonly kind?: string;
  /** The preconditions whose faults can explain this finding; absent if all deeper preconditions can. */
  readonly explainedBy?: readonly string[];
  /** The names of the affected appliances; absent if all appliances are affected. */
  readonly concerns?: readonly string[];
  /** Other addresses of the target that work. */
  readonly clean?: readonly string[];
  readonly facts?: FindingFacts;
  /** The responsible firewall policy, as reported by the firewall. */
  readonly culprit?: Culprit;
  /** Set if the claim describes the firewall policy that matches the connection. */
  readonly describesPolicy?: true;
  /** A summary and remedy that are more specific than the cause's texts, such as the explanation of a log signature. */
  readonly advice?: Advice;
}

/** A finding without its level and cause. */
export type FindingContent<C extends string = string> = Omit<Finding<C>, 'level' | 'suggests'>;

/** Returns the full text of an observation. */
export function actualOf({ claim, quote, actual }: Pick<Finding, 'claim' | 'quote' | 'actual'>): string {
  const text = claim.replace(/\.$/u, '');
  return actual ?? (quote === undefined ? text : `${text}: ${quote}`);
}

/** The texts of a finding, without its subject. */
export type Told = Pick<Finding, 'rule' | 'claim' | 'expected' | 'actual' | 'quote' | 'at' | 'witness' | 'fullNames'>;

/** Returns an informational finding that is not a fault. */
export function note(told: FindingContent): Finding<never> {
  return { ...told, level: 'note', suggests: null };
}

/** Returns a finding about an expectation that could not be checked. */
export function unknown(told: FindingContent): Finding<never> {
  return { ...told, level: 'unknown', suggests: null };
}

/** Reports whether a finding is `broken` or a `warning`. */
export function isFault({ level }: Pick<Finding, 'level'>): boolean {
  return level === 'broken' || level === 'warning';
}

type TextFacts = Omit<FindingFacts, 'security'>;

/** Returns the facts without those that are null or undefined. */
export function known(facts: { readonly [K in keyof TextFacts]: TextFacts[K] | null | undefined }): TextFacts {
  const entries = Object.entries(facts);
  return Object.fromEntries(entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}

/** A summary and remedy that replace the cause's texts. */
export interface Advice {
  readonly summary: string;
  readonly remedy: readonly Step[];
}

export type FindingLevel = 'broken' | 'warning' | 'note' | 'unknown';

/** The values of placeholders in a cause's texts. A general word is used for unknown values. */
export interface FindingFacts {
  /** The host of the affected service; absent if the licence server is affected. */
  readonly host?: string;
  readonly port?: string;
  readonly address?: string;
  /** The HTTP proxy on the path, as `host:port`. */
  readonly proxy?: string;
  readonly resolver?: string;
  readonly product?: string;
  /** The short name of the certificate's issuer, which identifies an inspecting device that is not in the catalogue. */
  readonly issuer?: string;
  readonly appliance?: string;
  /** Describes the failure of an interface, for use after its name, such as `does not answer`. */
  readonly failing?: string;
  /** The appliance's serial number. */
  readonly serial?: string;
  /** The serial number of the unit that needs the licence. In a cluster, this is the active member. */
  readonly primary?: string;
  /** The serial number of the unit to which the licence is registered. */
  readonly holder?: string;
  readonly license?: string;
  /** A measured duration and its limit, such as `90 min`. */
  readonly waited?: string;
  readonly life?: string;
  /** The date until which the licence must be redeemed. */
  readonly date?: string;
  /** The configured value, if a different value was found. */
  readonly configured?: string;
  readonly found?: string;
  /** The firewall that was queried for the policy, such as `FortiGate 10.0.0.1`. */
  readonly firewall?: string;
  readonly policy?: string;
  readonly profile?: string;
  /** The virtual domain on that firewall. */
  readonly vdom?: string;
  /** The interfaces in that policy, such as `port2, dmz`; empty if they could not be read. */
  readonly incoming?: string;
  readonly outgoing?: string;
  /** The source NAT setting of that policy: `disable`, `enable`, or `enable` with pools, such as `enable, pool-1`. */
  readonly nat?: string;
  readonly schedule?: string;
  /** The source address at the firewall. */
  readonly source?: string;
  /** The meaning of a log line, as a sentence without a full stop and as a text of at most 27 characters. */
  readonly meaning?: string;
  readonly said?: string;
  /** The security setting of the connection to the mail server. */
  readonly security?: 'starttls' | 'tls' | 'none';
  /** The stages of this machine's path that are not `ok`, such as `Genuine TLS is unknown`. */
  readonly unclear?: string;
  /** The verdict on a certificate, without a full stop. */
  readonly judgement?: string;
}

export type Confidence = 'confirmed' | 'suspected';

/** A root cause of a fault. The JSON form is part of the contract (`check --json`). */
export interface Cause extends Remedy {
  readonly id: string;
  readonly precondition: string;
  readonly severity: Severity;
  readonly confidence: Confidence;
  /** The faulty object, such as a host and port or a licence. The subject and `id` together identify the cause. */
  readonly subject: string;
  /** The inspecting product, if it is in the catalogue. */
  readonly product: string | null;
  /** The responsible firewall policy; absent if no firewall was queried, or its answer does not explain the cause. */
  readonly culprit?: Culprit;
  /** The firewall's report about the policy that matches the connection. Absent if the evidence contains none. */
  readonly policyReport?: string;
  /**
   * The error in FortiAuthenticator's log, in at most 27 characters; absent if the log is not the source of the cause.
   */
  readonly said?: string;
  /** A sentence that describes the state or the cause. */
  readonly summary: string;
  /** The current effect on users. */
  readonly impact: string;
  readonly evidence: readonly string[];
  /** The preconditions that this cause blocks. */
  readonly consequences: readonly string[];
}

/** A placeholder in a command that the user has to fill in before running the command. */
export interface Blank {
  /** The placeholder as it appears in the command. */
  readonly name: string;
  /** The value to insert. */
  readonly meaning: string;
}

/** A step of a remedy in its final form. The JSON form is part of the contract (`check --json`). */
export interface RemedyStep {
  readonly text: string;
  /** The commands to copy; null if the step has no commands. */
  readonly commands: string | null;
  /** The commands that undo the step; null if the step does not make changes. */
  readonly undo: string | null;
  /** The command line that the commands are for. */
  readonly syntax: Syntax | null;
  /** The placeholders that the user has to fill in. */
  readonly blanks: readonly Blank[];
}

/** A remedy both as sentences and as steps. */
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
  /** Contains the command line, and whether the commands are ready to copy or have placeholders. */
  readonly label: string;
  /** The values to fill in; empty if the block is ready. */
  readonly missing: string;
  /** The lines to copy, which are never wrapped. */
  readonly text: string;
}

const PLACES: Readonly<Record<Syntax, string>> = {
  shell: 'Shell',
  fortios: 'FortiGate CLI',
  fortiauthenticator: 'FortiAuthenticator CLI',
};

/** Returns the blocks of a step, which are its commands and the commands that undo it. */
export function blocksOf({ commands, undo, syntax, blanks }: RemedyStep): readonly Block[] {
  return [
    ...(commands === null ? [] : [blockOf(syntax === null ? 'Commands' : PLACES[syntax], commands, blanks)]),
    ...(undo === null ? [] : [blockOf('Undo', undo, blanks)]),
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

/** Returns the heading of a block for output that cannot fold blocks. */
export function headOf({ label, missing }: Block): string {
  return missing === '' ? `${label}:` : `${label}: ${missing}:`;
}

/** The part of a check's declaration that the engine uses. Checks refer to each other only by id. */
export interface Check<Id extends string = string, C extends string = string> {
  readonly id: Id;
  /** The human-readable name of the check. */
  readonly title: string;
  /** The deeper checks that can explain why this precondition is broken or unknown. */
  readonly dependsOn: readonly Dependency[];
  readonly causes: Readonly<Record<C, CauseWords>>;
  /** The suggested step if the precondition stays unknown and its findings contain no advice. */
  readonly unknownRemedy: Step;
  /** Whether the check is a stage of the path from this machine to the licence server. */
  readonly onPath?: true;
  /** Whether names and targets outside this network cannot be checked while this precondition is broken. */
  readonly isWayOut?: true;
  /**
   * Whether a single lost connection can cause this fault. In that case, witnesses that also lost a connection do not
   * confirm the fault.
   */
  readonly byOneConnection?: true;
}

/** A cause and the check that it belongs to. */
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
  throw new Error(`Cannot find the cause "${cause}": no check declares it`);
}

/** A dependency on a deeper check, which is identified by its id. */
export type Dependency = Need | Source | Explanation;

/** A dependency on a check that must pass. If the deeper check is broken or blocked, this check is `blocked`. */
interface Need {
  readonly kind: 'needs';
  readonly by: string;
  /**
   * Returns false if this check's observations prove its state, regardless of the deeper check's state.
   * @default always
   */
  readonly when?: (own: Assessment) => boolean;
}

/**
 * A dependency on a check whose data this check uses. If the deeper check is unknown, this check is unknown as well,
 * and only the deeper check is reported.
 */
interface Source {
  readonly kind: 'reads';
  readonly by: string;
}

/** A dependency on a check whose fault explains this check's findings. This check is then `blocked`. */
export interface Explanation {
  readonly kind: 'explained';
  readonly by: string;
  readonly when: (findings: readonly Finding[]) => boolean;
  /** Whether the explained findings are evidence for the deeper cause, such as a FortiAuthenticator log line. */
  readonly evidence: boolean;
  /** Which warnings are explained as well: all of them, or only suspected warnings. */
  readonly warnings?: 'all' | 'suspected';
  /** Reports whether a warning from the deeper check is sufficient to explain a warning. */
  readonly byWarning?: (finding: Finding) => boolean;
}

/** Returns a condition which is met if all broken findings suggest this cause. */
export function suggestsOnly(cause: string): Explanation['when'] {
  return (findings) => findings.every(({ level, suggests }) => level !== 'broken' || suggests === cause);
}

/** Returns a condition which is met if all broken findings have one of these rules. */
export function breaksOnly(rules: readonly string[]): Explanation['when'] {
  return (findings) => findings.every(({ level, rule }) => level !== 'broken' || rules.includes(rule));
}

/** Returns a condition which is met if all broken findings and warnings have one of these rules. */
export function concernsOnly(rules: readonly string[]): Explanation['when'] {
  return (findings) => findings.every((finding) => !isFault(finding) || rules.includes(finding.rule));
}

/** The result of evaluating a single precondition, before the whole path is diagnosed. */
export interface Assessment<C extends string = string> {
  readonly id: string;
  /**
   * `unjudged` means that the check should have run, but there was nothing to check, or a problem on this machine
   * prevented the check.
   */
  readonly kind: 'judged' | 'unjudged' | 'not-configured';
  readonly findings: readonly Finding<C>[];
  /** A sentence for the case that there are no findings, or the reason why the precondition was not evaluated. */
  readonly summary: string;
  /** Whether the check is still waiting for its first input, so that its unknown state is not a problem. */
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
 * `blocked` means that another precondition is broken. `unknown` means that a check was not possible, for example
 * because of a problem on this machine.
 */
export type PreconditionState = (typeof PRECONDITION_STATES)[number];

export const PRECONDITION_STATES = ['ok', 'warning', 'broken', 'blocked', 'unknown', 'not-configured'] as const;

/**
 * A source of findings other than this machine's probes. Failed probes can have a momentary reason, such as a firewall
 * that reloads its policies. A momentary failure does not explain findings from these sources:
 * - `appliance-log`: FortiAuthenticator's log contains errors.
 * - `firewall`: The firewall's policy or log shows how it handles the traffic.
 * - `other-host`: Another host has the same fault, such as a certificate from the same inspecting authority. Lost
 * connections do not count.
 * - `peer`: Another agent detected the fault at another moment.
 */
type Witness = 'appliance-log' | 'firewall' | 'other-host' | 'peer';

export type Readiness = 'ready' | 'not-ready' | 'unknown';

export interface PreconditionStatus {
  readonly id: string;
  readonly state: PreconditionState;
  /** A sentence that describes the state or the cause. */
  readonly summary: string;
  /** The preconditions that must be fixed first; empty unless the state is `blocked`. */
  readonly blockedBy: readonly string[];
  readonly findings: readonly Finding[];
  /** See `Assessment`. Not part of the contract. */
  readonly waits?: true;
}

/** The result of one round. The JSON form is part of the contract (`check --json`). */
export interface Diagnosis {
  readonly ready: Readiness;
  readonly site: string;
  readonly at: EpochMs;
  /** All preconditions, in path order. */
  readonly preconditions: readonly PreconditionStatus[];
  /** The causes, the most severe first, with at most one critical cause per fault. */
  readonly causes: readonly Cause[];
  /** The causes on which two witnesses agree, so that no further check is needed. Not part of the contract. */
  readonly corroborated?: readonly Pick<Cause, 'id' | 'subject'>[];
  /** The configuration file; absent if the defaults were used. Not part of the contract. */
  readonly configFile?: string;
}

/**
 * The texts for a cause, which can contain `{placeholders}` (see remedy-words.ts). Mail, status page and runbooks use
 * the same texts.
 */
export interface CauseWords {
  /** The severity if the precondition is broken. For a warning, the severity is at most `warning`. */
  readonly severity: Severity;
  /** A clause for the runbook heading, such as "TLS is intercepted". */
  readonly title: string;
  /** A description for mail subjects, with at most 32 characters and without a host, so that it is never truncated. */
  readonly short: string;
  /** Replaces `short` for a warning. */
  readonly warningShort?: string;
  /** Replaces `short` for these inspecting products, by their names in config/inspection-products.yaml. */
  readonly productShort?: Readonly<Record<string, string>>;
  /** Replaces `short` for any other known product; contains `{product}`. */
  readonly anyProductShort?: string;
  /** A short description for lists, if it differs from the title; can contain `{subject}`. */
  readonly headline?: string;
  /** Replaces `headline` if the inspecting product is known; can contain `{product}`. */
  readonly productHeadline?: string;
  /** Replaces `headline` for a warning. */
  readonly warningHeadline?: string;
  /** Set if a firewall policy can be the reason. Contains the action of that policy, and texts that mention it. */
  readonly byFirewall?: {
    readonly action: Culprit['action'];
    /** The headline and the summary, each with `{culprit}`. */
    readonly headline: string;
    readonly summary: string;
  };
  /** A sentence that describes the state or the cause. */
  readonly summary: string;
  readonly impact: ImpactKind;
  /**
   * The sources of vendor facts in these texts. `ta-p/N` stands for https://community.fortinet.com/…/ta-p/N, and
   * `docs:X` for https://docs.fortinet.com/document/X.
   */
  readonly sources?: readonly string[];
  /**
   * The file, heading and first sentence of a runbook that several causes share. By default, the heading is the title
   * of the first cause, and each cause has its own summary.
   */
  readonly runbook?: { readonly name: string; readonly title?: string; readonly summary?: string };
  /** The steps for an administrator, in order. */
  readonly remedy: readonly Step[];
  /** Texts that replace these texts if the kind of the cause is known. */
  readonly kinds?: Readonly<Record<string, KindWords>>;
  /**
   * Replaces these texts while a stage of this machine's path is not `ok` (`facts.unclear`), because both can have the
   * same fault.
   */
  readonly unclearPath?: { readonly summary: string; readonly remedy: readonly Step[] };
  /**
   * Replaces these texts while this machine's path is broken. The cause is then critical, because its remedy needs the
   * path.
   */
  readonly brokenPath?: { readonly summary: string; readonly remedy: readonly Step[] };
  /** Replaces `remedy` for these inspecting products, by their names in config/inspection-products.yaml. */
  readonly productRemedy?: Readonly<Record<string, readonly Step[]>>;
  /** Replaces `remedy` for any other known product. */
  readonly anyProductRemedy?: readonly Step[];
  /** Replaces `remedy` if the connection uses a proxy (`facts.proxy`), which is checked before any firewall. */
  readonly proxyRemedy?: readonly Step[];
  /**
   * If a fault has several possible causes, the cause with the lowest rank is reported. No rank is the highest rank.
   */
  readonly rank?: number;
  /** The more general cause that this cause can develop into as part of the same fault. */
  readonly partOf?: string;
  /**
   * Which findings count as one fault. By default, these are findings with the same subject. With `per-host`, all
   * findings for the same host are one fault. With `for-all-hosts`, findings for several hosts are also one fault, for
   * example if a resolver fails for many names.
   */
  readonly oneFault?: 'per-host' | 'for-all-hosts';
}

/** The texts for one kind of a cause. */
export interface KindWords {
  /** A clause for the runbook heading, such as "the proxy requires a login". */
  readonly title: string;
  readonly summary: string;
  readonly remedy: readonly Step[];
  /** Replaces the cause's `unclearPath`. */
  readonly unclearPath?: CauseWords['unclearPath'];
}

/** The command lines that commands can be for: a POSIX shell, the FortiGate CLI, and the FortiAuthenticator CLI. */
export const SYNTAXES = ['shell', 'fortios', 'fortiauthenticator'] as const;
type Syntax = (typeof SYNTAXES)[number];

/** A step of a remedy with placeholders. The step is a sentence, optionally with commands. */
export type Step = string | CommandStep;

export interface CommandStep {
  /** A sentence that can be understood without the commands. */
  readonly text: string;
  readonly syntax: Syntax;
  /** Command lines, which can contain placeholders (see `fillCommands` in remedy-words.ts). */
  readonly commands: readonly string[];
  /** Command lines that undo the commands; null if the commands do not make changes. */
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

/** Effects on users that are the same in every situation. */
const IMPACTS = {
  codes: 'Activation codes do not reach users by e-mail. Active tokens keep working.',
  push: 'Phones show no push notifications. Codes that users type keep working.',
  answers: 'Users may not be able to answer push notifications. Codes that users type keep working.',
  sms: 'Codes do not reach users by SMS. E-mail and active tokens keep working.',
  fortigate: 'Tokens on a FortiGate cannot be activated. Active tokens keep working.',
  cloud: 'Logins with FortiToken Cloud tokens may fail.',
  assignment:
    'The licence server refuses this FortiAuthenticator, so tokens from this licence cannot be provisioned or ' +
    'activated. Active tokens keep working.',
  tokens: 'New users cannot get a token if no free tokens are left. Tokens that are already assigned keep working.',
  disabled:
    'Disabled users cannot log in. A user who is re-enabled without a new token can log in without the ' +
    'second factor.',
  appliance: 'Activations and logins with codes may fail now or later.',
  clock:
    'If the difference is 60 s or more, FortiAuthenticator rejects time-based codes. HOTP tokens do not depend ' +
    'on the clock.',
  blind: 'Activation may work, but ftm-watch cannot check this precondition.',
  uncertain: 'Activations may fail for some users or at times. Active tokens keep working.',
  service: 'Functions that use this host may fail. Activation does not use this host.',
  none: 'None now.',
} as const;

/** The affected part of activation. */
export type ImpactKind = 'activation' | keyof typeof IMPACTS;

/**
 * Returns the current effect on users. Active tokens are not affected, because the phone computes the codes and
 * FortiAuthenticator verifies them. Since FortiAuthenticator 6.6.1, users can activate tokens offline (Fortinet tips
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
        ? ' Since FortiAuthenticator 6.6.1, users can activate offline.'
        : '';
  return `${license} cannot be activated. Active tokens keep working.${offline}`;
}
