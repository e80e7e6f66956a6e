import * as z from 'zod';
import type { EpochMs } from '../core/clock.ts';
import type { DeepReadonly } from '../core/deep-readonly.ts';
import { counted } from '../core/visible-text.ts';
import type { Culprit } from '../core/firewall.ts';
import { SEVERITIES, type Severity } from '../core/severity.ts';
import type { ActivationContext } from '../core/license/appliance.ts';
import type { MailObservation } from '../core/observation.ts';

/** Result of comparing an expectation with the observations. All output for users is based on findings. */
export interface Finding<C extends string = string> {
  /** Kebab-case, such as `chain-verifies-under-pin`. */
  readonly rule: string;
  /** Such as `fortitokenmobile.fortinet.com:443`, a resolver or a mail server. */
  readonly subject: string;
  /**
   * Plain sentence about the observation, without untrusted text. Certificates are identified by their common names.
   */
  readonly claim: string;
  readonly expected: string;
  /** The full observation with complete lists and names. Absent if the claim and the quote contain everything. */
  readonly actual?: string;
  /** Text from a log or a peer on which the claim is based. */
  readonly quote?: string;
  /** Time of the last observation, if it was made before this round. */
  readonly at?: EpochMs;
  /** Absent if the finding comes from this round's checks. */
  readonly witness?: Witness;
  /** Full distinguished names of the certificates that the claim identifies only by their common names. */
  readonly fullNames?: readonly string[];
  /** `note` is informational. `unknown` means that a check was not possible. */
  readonly level: FindingLevel;
  /** The cause that applies unless a deeper fault explains the finding. Null for the levels `note` and `unknown`. */
  readonly suggests: C | null;
  /** `suspected` if there are other possible explanations. Absent means `confirmed`. */
  readonly confidence?: Confidence;
  /** Selects the cause's summary and remedy. Absent if unknown. */
  readonly kind?: string;
  /** Preconditions whose faults can explain this finding. Absent if every deeper precondition can. */
  readonly explainedBy?: readonly string[];
  /** True if anybody can have caused the finding. It can add a cause, but it explains and displaces nothing. */
  readonly unproven?: true;
  /** Names of the affected appliances. Absent if all are affected. */
  readonly concerns?: readonly string[];
  /** Addresses of the same target that work. */
  readonly clean?: readonly string[];
  readonly facts?: FindingFacts;
  readonly culprit?: Culprit;
  /** True if the claim describes the firewall policy that matches the connection. */
  readonly describesPolicy?: true;
  /** More specific than the cause's default wording, for example from a log signature. */
  readonly advice?: Advice;
}

type FindingContent = Omit<Finding, 'level' | 'suggests'>;

export function actualOf({ claim, quote, actual }: Pick<Finding, 'claim' | 'quote' | 'actual'>): string {
  const text = claim.replace(/\.$/u, '');
  return actual ?? (quote === undefined ? text : `${text}: ${quote}`);
}

/** What a part of a check tells. The subject is added by its caller. */
export type FindingText = Omit<FindingContent, 'subject'>;

export function note(told: FindingContent): Finding<never> {
  return { ...told, level: 'note', suggests: null };
}

export function unknown(told: FindingContent): Finding<never> {
  return { ...told, level: 'unknown', suggests: null };
}

export function warning<C extends string>(suggests: C, told: FindingContent): Finding<C> {
  return { ...told, level: 'warning', suggests };
}

export function broken<C extends string>(suggests: C, told: FindingContent): Finding<C> {
  return { ...told, level: 'broken', suggests };
}

export function isFault({ level }: Pick<Finding, 'level'>): boolean {
  return level === 'broken' || level === 'warning';
}

type TextFact = Exclude<keyof FindingFacts, 'security'>;

export function known(facts: { readonly [Name in TextFact]?: string | null | undefined }): FindingFacts {
  const entries = Object.entries(facts);
  return Object.fromEntries(entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}

export interface Advice {
  readonly summary?: string;
  readonly remedy: readonly Step[];
}

export type FindingLevel = 'broken' | 'warning' | 'note' | 'unknown';

/** Facts for the placeholders in a cause's messages, each with the general word that is used for an unknown value. */
export const GENERAL_FACTS = {
  /** Absent if the licence server is affected. */
  host: 'the licence server',
  port: '443',
  /** Who can say whether the server is down. */
  operator: 'Fortinet TAC',
  address: 'its addresses',
  /** As `host:port`. */
  proxy: 'the proxy',
  resolver: 'the resolver',
  product: 'an inspecting device that is not in the product catalogue',
  /** Short name of the authority that an inspecting device uses. Identifies devices that are not in the catalogue. */
  issuer: 'an authority without a name',
  /** Short name of the root authority that a client must trust. */
  root: 'an unknown root authority',
  /** In PEM format. */
  rootpem: '',
  appliance: 'FortiAuthenticator',
  /** Host in `appliances[].api.url`. */
  requested: 'the requested host',
  /** The other member of the appliance's HA pair. */
  peer: 'its HA peer',
  /** Verb phrase about an interface, such as `does not answer`. */
  failing: 'does not answer',
  serial: 'the serial number of this FortiAuthenticator',
  /** Serial number of the unit that needs the licence. In a cluster, this is the active member. */
  primary: 'the active unit',
  /** Serial number of the unit to which the licence is registered. */
  holder: 'another unit',
  license: 'the licence',
  /** Measured duration (`waited`) and its limit (`life`), for example `90 min`. */
  waited: 'a long time',
  life: 'a limited time',
  /** Date by which the licence must be redeemed. */
  date: 'the date on its certificate',
  /** The configured value, if a different value was found. */
  configured: 'the configured value',
  found: 'a different value',
  /** Such as `FortiGate 10.0.0.1`. */
  firewall: 'the firewall',
  policy: 'the matching policy',
  profile: 'its inspection profile',
  vdom: 'its VDOM',
  /** Interfaces in the firewall policy, such as `port2, dmz`. Empty if they could not be read. */
  incoming: 'its incoming interface',
  outgoing: 'its outgoing interface',
  /** Source NAT in the firewall policy: `disable`, `enable`, or `enable` with pools, such as `enable, pool-1`. */
  nat: 'its NAT setting',
  schedule: 'its schedule',
  /** FortiAuthenticator's source address, as seen by the firewall. */
  source: 'the address of FortiAuthenticator',
  /** Meaning of a log line: a sentence without a full stop, and a short form of at most 27 characters. */
  meaning: 'it logs FortiToken Mobile errors',
  said: 'FortiToken Mobile errors',
  security: 'starttls',
  /** Stages of this machine's path whose state is not `ok`, such as `Genuine TLS is unknown`. */
  unclear: 'a part of the path could not be checked',
  /** Verdict on a certificate, as a sentence without a full stop. Replaces the cause's usual summary. */
  judgement: 'The certificate is not valid',
} as const;

/** `security` is compared with these values, so a wrong one would change a command. */
export type FindingFacts = { readonly [Name in Exclude<keyof typeof GENERAL_FACTS, 'security'>]?: string } & {
  readonly security?: MailObservation['security'];
};

const SYNTAXES = ['shell', 'fortios', 'fortiauthenticator', 'pem'] as const;
type Syntax = (typeof SYNTAXES)[number];

const blankSchema = z.object({ name: z.string(), meaning: z.string() });

/** Command placeholder that the user must replace before running the command. */
export type Blank = Readonly<z.infer<typeof blankSchema>>;

const remedyStepSchema = z.object({
  text: z.string(),
  commands: z.string().nullable(),
  /** Null if the step changes nothing. */
  undo: z.string().nullable(),
  syntax: z.literal(SYNTAXES).nullable(),
  blanks: z.array(blankSchema),
});

/** `check --json` prints this type, so its JSON format must stay compatible. */
export type RemedyStep = DeepReadonly<z.infer<typeof remedyStepSchema>>;

const confidenceSchema = z.literal(['confirmed', 'suspected']);

export type Confidence = z.infer<typeof confidenceSchema>;

export const severitySchema = z.literal(SEVERITIES);

const culpritSchema: z.ZodType<Culprit> = z.object({
  firewall: z.string(),
  firewallHost: z.string(),
  serial: z.string().nullable(),
  action: z.literal(['inspects', 'denies']),
  policy: z.object({ id: z.number(), name: z.string().nullable() }).nullable(),
  profile: z.string().nullable(),
  incoming: z.string().nullable(),
  outgoing: z.string().nullable(),
});

/** Also for causes that another version of ftm-watch stored or sent. Version 0.1.0 did not store `remedySteps`. */
export const causeSchema = z
  .object({
    id: z.string(),
    precondition: z.string(),
    severity: severitySchema,
    confidence: confidenceSchema,
    /** The faulty object, such as a host and port or a licence. `id` and `subject` together identify the cause. */
    subject: z.string(),
    /** The explanation among those that the cause has. Absent if there is no specific one. */
    kind: z.string().exactOptional(),
    /** Inspecting product. Null if it is not in the catalogue. */
    product: z.string().nullable(),
    /** Absent if no firewall was queried, or if the firewall's response does not explain the cause. */
    culprit: culpritSchema.exactOptional(),
    /** Description of the matching policy, as reported by the firewall. */
    policyReport: z.string().exactOptional(),
    /** Error from FortiAuthenticator's log. At most 27 characters. */
    said: z.string().exactOptional(),
    /** The other member of the HA pair, which answers. */
    peer: z.string().exactOptional(),
    /** The observation, as a clause. Names a suspected cause, because the cause's own name would be a guess. */
    observed: z.string().exactOptional(),
    /** True for an event such as a change, about which no reminders are sent. */
    isEvent: z.literal(true).exactOptional(),
    summary: z.string(),
    impact: z.string(),
    evidence: z.array(z.string()),
    /** Preconditions that this cause blocks. */
    consequences: z.array(z.string()),
    remedy: z.array(z.string()),
    remedySteps: z.array(remedyStepSchema).optional(),
  })
  .transform(({ remedySteps, ...row }) => ({ ...row, remedySteps: remedySteps ?? row.remedy.map(sentenceStep) }));

/** `check --json` prints this type, so its JSON format must stay compatible. */
export type Cause = DeepReadonly<z.infer<typeof causeSchema>>;

export type Remedy = Pick<Cause, 'remedy' | 'remedySteps'>;

export function sentenceStep(text: string): RemedyStep {
  return { text, commands: null, undo: null, syntax: null, blanks: [] };
}

export interface Block {
  readonly place: string;
  /** States whether the block is ready to copy, or which values must be filled in. */
  readonly fill: string;
  /** Values that the user must fill in. Empty if the block is ready to copy. */
  readonly missing: string;
  /** Output formats must not wrap these lines. */
  readonly text: string;
}

const PLACES: Readonly<Record<Syntax, string>> = {
  shell: 'Shell',
  fortios: 'FortiGate CLI',
  fortiauthenticator: 'FortiAuthenticator CLI',
  pem: 'PEM',
};

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
    fill: left.length === 0 ? 'ready to copy' : `fill in ${counted(left.length, 'value')}: ${namesOf(left).join(', ')}`,
    missing: left.map(({ name, meaning }) => `${name} is ${meaning}`).join(', '),
    text,
  };
}

function namesOf(blanks: readonly Blank[]): readonly string[] {
  return blanks.map(({ name }) => name.replace(/^FILL-IN-/u, ''));
}

/** Returns the heading of a block, for output formats that cannot collapse blocks. */
export function headOf({ place, fill, missing }: Block): string {
  return missing === '' ? `${place}, ${fill}:` : `${place}, ${fill}. ${missing}:`;
}

/** The part of a check's declaration that the engine uses. Checks refer to each other only by ID. */
export type Check<Id extends string = string, C extends string = string> = CheckBase<Id> & ReadyShare<C>;

/** Whether the check's result counts for `ready`. */
type ReadyShare<C extends string> =
  | { readonly countsForReady: true; readonly causes: Readonly<Record<C, CauseWords>> }
  /** The check only warns: its worst state is `warning`, and the site can be ready while the state is `unknown`. */
  | { readonly countsForReady: false; readonly causes: Readonly<Record<C, WarningWords>> };

type WarningWords = CauseWords & {
  readonly severity: Exclude<Severity, 'critical'>;
  readonly variants?: readonly (Variant & { readonly severity?: never })[];
};

interface CheckBase<Id extends string> {
  readonly id: Id;
  readonly title: string;
  /** Deeper checks that can explain why this precondition is broken or unknown. */
  readonly dependsOn: readonly Dependency[];
  /** Used if the precondition stays unknown and its findings contain no advice. */
  readonly unknownRemedy: Step;
  /** True if the check is a stage on the path from this machine to the licence server. */
  readonly onPath?: true;
  /** True if names and targets outside this network cannot be checked while this precondition is broken. */
  readonly isWayOut?: true;
  /**
   * True if a single lost connection can cause this fault. If so, a witness that also lost a connection does not
   * confirm the fault.
   */
  readonly byOneConnection?: true;
}

interface KnownCause {
  readonly check: Check;
  readonly words: CauseWords;
}

/** @throws Error if no check has such a cause */
export function knownCause(checks: readonly Check[], cause: string): KnownCause {
  for (const check of checks) {
    const words = Object.hasOwn(check.causes, cause) ? check.causes[cause] : undefined;
    if (words !== undefined) return { check, words };
  }
  throw new Error(`Cannot find the cause "${cause}": no check declares it`);
}

type Dependency = Need | Source | Explanation;

/** If the deeper check is broken or blocked, this check is `blocked`. */
interface Need {
  readonly kind: 'needs';
  readonly by: string;
  /**
   * Returns false if this check's own observations prove its state, regardless of the deeper check's state. If this
   * function is omitted, this check always depends on the deeper one.
   */
  readonly when?: (own: Assessment) => boolean;
}

/** If the deeper check is unknown, this check is also unknown, and only the deeper check is reported. */
interface Source {
  readonly kind: 'reads';
  readonly by: string;
}

/** While the deeper check is broken and explains these findings, this check is `blocked`. */
export interface Explanation {
  readonly kind: 'explained';
  readonly by: string;
  readonly when: (findings: readonly Finding[]) => boolean;
  /** True if the explained findings, such as a FortiAuthenticator log line, are evidence for the deeper cause. */
  readonly evidence: boolean;
  /** Set if warnings are also explained. */
  readonly warnings?: 'all' | 'suspected';
  /**
   * Returns whether a finding that does not prove the deeper check broken explains this check's warnings, and findings
   * that are not proven either.
   */
  readonly byWarning?: (finding: Finding) => boolean;
}

export function suggestsOnly(cause: string): Explanation['when'] {
  return (findings) => findings.every(({ level, suggests }) => level !== 'broken' || suggests === cause);
}

export interface Assessment<C extends string = string> {
  readonly id: string;
  /** `unjudged`: the check should have run, but there was nothing to check, or this machine prevented the check. */
  readonly kind: 'judged' | 'unjudged' | 'not-configured';
  readonly findings: readonly Finding<C>[];
  /** The text to show if there are no findings, or the reason why the precondition was not evaluated. */
  readonly summary: string;
  /** True if `unknown` is not a problem: the check waits for its first input, or an intermittent fault hides it. */
  readonly waits?: true;
  /** Something that a later check checks, and that does this check's work, such as a proxy that resolves the name. */
  readonly delegate?: { readonly checkedBy: string; readonly name: string };
}

/** `blocked`: a precondition on which this one depends is broken. `unknown`: a check was not possible. */
export type PreconditionState = (typeof PRECONDITION_STATES)[number];

export const PRECONDITION_STATES = ['ok', 'warning', 'broken', 'blocked', 'unknown', 'not-configured'] as const;

/**
 * Source of a finding that does not come from this machine's probes. A probe can fail momentarily, for example while a
 * firewall reloads its policies. Such a failure does not explain findings from these sources:
 * - `appliance-log`: FortiAuthenticator's log contains errors.
 * - `firewall`: The firewall's policy or log shows how it handles the traffic.
 * - `other-host`: Another host has the same fault, such as a certificate from the same inspecting authority. Lost
 *   connections do not count.
 * - `peer`: Another agent detected the fault at a different time.
 */
type Witness = 'appliance-log' | 'firewall' | 'other-host' | 'peer';

export type Readiness = 'ready' | 'not-ready' | 'unknown';

export interface PreconditionStatus {
  readonly id: string;
  readonly state: PreconditionState;
  readonly summary: string;
  /** Preconditions that must be fixed first. Empty unless the state is `blocked`. */
  readonly blockedBy: readonly string[];
  readonly findings: readonly Finding[];
  /** Not included in the JSON output. */
  readonly waits?: true;
  /** True if the state is `unknown` and does not count for `ready`. */
  readonly isLeftOut?: true;
  /** True if the state is `blocked` although the check was evaluated. Not included in the JSON output. */
  readonly isSameFault?: true;
}

/** `check --json` prints this type, so its JSON format must stay compatible. */
export interface Quantity {
  readonly id: QuantityId;
  readonly subject: string;
  /** An integer. */
  readonly value: number;
  readonly unit: QuantityUnit;
}

export type QuantityId = keyof typeof QUANTITY_UNITS;

type QuantityUnit = (typeof QUANTITY_UNITS)[QuantityId];

/** In alphabetical order. `polling-errors` are those of the last hour. */
export const QUANTITY_UNITS = {
  'certificate-days': 'days',
  'license-days': 'days',
  'polling-errors': 'errors',
  'sms-left': 'messages',
  'tokens-free': 'tokens',
} as const;

/** `check --json` prints this type, so its JSON format must stay compatible. */
export interface Diagnosis {
  readonly ready: Readiness;
  readonly site: string;
  readonly at: EpochMs;
  readonly preconditions: readonly PreconditionStatus[];
  /** Most severe first. Each fault has at most one critical cause. */
  readonly causes: readonly Cause[];
  /** Absent if the observations of the round were not evaluated as a whole. */
  readonly quantities?: readonly Quantity[];
  /**
   * Causes on which two witnesses agree, which means that no other round has to confirm them. Not included in the JSON
   * output.
   */
  readonly corroborated?: readonly Pick<Cause, 'id' | 'subject'>[];
  /** Causes that are based only on log lines that anybody can write. Not included in the JSON output. */
  readonly unproven?: readonly Pick<Cause, 'id' | 'subject'>[];
  /** Absent if the defaults were used. Not included in the JSON output. */
  readonly configFile?: string;
}

/** Texts about a cause, which can contain `{placeholders}` (see remedy-words.ts). */
interface Wording {
  /**
   * A clause such as `TLS to [{subject}|the server] is blocked`. Of the alternatives in brackets, the first is used
   * whose facts are known and that fits. `[ of {subject}]` is left out if it does not fit. Without these facts, and
   * without articles and forms of "be", the name has at most 32 characters. See checks/headline.ts.
   */
  readonly name: string;
  readonly summary: string;
  readonly impact: ImpactKind;
  readonly remedy: readonly Step[];
  /** Severity if the precondition is broken. If the finding is only a warning, the severity is at most `warning`. */
  readonly severity: Severity;
}

export interface CauseWords extends Wording {
  /** Texts that replace the above in some situations. The last variant that applies wins, for each text. */
  readonly variants?: readonly Variant[];
  /**
   * Sources of the vendor facts. `ta-p/N` stands for https://community.fortinet.com/…/ta-p/N, and `docs:X` for
   * https://docs.fortinet.com/document/X.
   */
  readonly sources?: readonly string[];
  /** Runbook that several causes share, with its file name, heading and first sentence. */
  readonly runbook?: { readonly name: string; readonly title?: string; readonly summary?: string };
  /**
   * True for an event that administrators must know, such as a change. The event is reported separately from faults of
   * the same subject, and without reminders.
   */
  readonly isEvent?: true;
  /** If a fault has several possible causes, the cause with the lowest rank is reported. */
  readonly rank?: number;
  /**
   * By default, findings with the same subject count as one fault. `per-host`: all findings for a host count as one
   * fault. `for-all-hosts`: findings for several hosts count as one fault, for example if a resolver fails for many
   * names.
   */
  readonly oneFault?: 'per-host' | 'for-all-hosts';
}

export interface Variant extends Partial<Wording> {
  readonly when: Situation;
}

/** A variant applies in a situation that has all facts of its `when`. */
export interface Situation {
  /** Of the main finding. */
  readonly kind?: string | undefined;
  /** Inspecting product, by its name in config/inspection-products.yaml. `*` in a variant: any known product. */
  readonly product?: string | undefined;
  readonly isProxied?: boolean;
  /** What the matching firewall policy does. Without a variant for it, a policy cannot be the cause. */
  readonly culprit?: Culprit['action'] | undefined;
  readonly severity?: Severity;
  /** A stage of this machine's path is not `ok` (`facts.unclear`), so both paths may have the same fault. */
  readonly isPathUnclear?: boolean;
  /** If so, a remedy that requires a working path makes a cause critical. Never true for a suspected cause. */
  readonly isPathBroken?: boolean;
}

/** Texts for one kind of a cause. Its name is also a heading in the runbook. */
export type KindWords = Pick<Wording, 'name'> & Partial<Pick<Wording, 'summary' | 'impact' | 'remedy'>>;

export function kindVariants(
  kinds: Readonly<Record<string, KindWords>>,
): readonly (KindWords & Pick<Variant, 'when'>)[] {
  return Object.entries(kinds).map(([kind, words]) => ({ when: { kind }, ...words }));
}

export type Step = string | CommandStep;

export interface CommandStep {
  /** Must be understandable without the commands. */
  readonly text: string;
  readonly syntax: Syntax;
  readonly commands: readonly string[];
  /** Null if the commands change nothing. */
  readonly undo: readonly string[] | null;
}

/** For read-only commands, which leave nothing to undo. */
export function shell(text: string, ...commands: readonly string[]): CommandStep {
  return { text, syntax: 'shell', commands, undo: null };
}

/** A certificate. */
export function pem(text: string, content: string): CommandStep {
  return { text, syntax: 'pem', commands: [content], undo: null };
}

export function fortios(text: string, ...commands: readonly string[]): CommandStep {
  return { text, syntax: 'fortios', commands, undo: null };
}

export function fortiauthenticator(text: string, ...commands: readonly string[]): CommandStep {
  return { text, syntax: 'fortiauthenticator', commands, undo: null };
}

/** The first sentence is the short form, which is used alone in headings. */
const IMPACTS = {
  codes: 'Codes by mail are not delivered. Active tokens keep working.',
  'codes-at-risk': 'Codes by mail may not be delivered. Active tokens keep working.',
  push: 'Phones show no push notifications. Codes that users type keep working.',
  answers: 'Users may not be able to answer push notifications. Codes that users type keep working.',
  sms: 'Codes by SMS are not delivered. Email and active tokens keep working.',
  fortigate: 'Tokens on a FortiGate cannot be activated. Active tokens keep working.',
  cloud: 'Logins with FortiIdentity Cloud tokens may fail.',
  assignment:
    'Tokens from this licence cannot be provisioned or activated. The licence server refuses this ' +
    'FortiAuthenticator. Active tokens keep working.',
  'assignment-at-risk': 'Provisioning or activating tokens from this licence may fail. Active tokens keep working.',
  tokens: 'New users cannot get a token if no free tokens are left. Tokens that are already assigned keep working.',
  disabled:
    'Disabled users cannot log in. Users who are re-enabled without a new token can log in without the ' +
    'second factor.',
  appliance: 'Activations and logins with codes may fail now or later.',
  clock:
    'Codes may be rejected. If the difference is 60 s or more, FortiAuthenticator rejects time-based codes. HOTP ' +
    'tokens do not depend on the clock.',
  redundancy:
    'Users are served by the other unit of the pair. If it fails too, users cannot activate tokens or log in.',
  blind: 'Activation may work, but ftm-watch cannot check every step of it.',
  unread:
    'Users are probably not affected. ftm-watch cannot see the tokens and licences, so it may not report when they ' +
    'run out.',
  uncertain: 'Activations may fail intermittently or for some users. Active tokens keep working.',
  service: 'Functions other than activation may fail. Activation is not affected.',
  history: 'No history is recorded. Monitoring and alerts continue. After a restart, notifications may be sent again.',
  'own-page': 'The status page cannot be opened once its certificate has expired. Monitoring continues.',
  'own-log': "ftm-watch may miss errors in FortiAuthenticator's log. All other checks continue.",
  'own-messages': 'Some recipients do not learn of faults. Monitoring continues.',
  'own-configuration': 'Changes of the configuration have no effect. ftm-watch may not start again.',
  none: 'Users are not affected at the moment.',
} as const;

type ImpactKind = 'activation' | keyof typeof IMPACTS;

/**
 * Active tokens keep working, because the phone computes the codes and FortiAuthenticator verifies them. Since
 * FortiAuthenticator 6.6.1, users can activate tokens offline if the provision mode is Offline (Fortinet tips 194050 and
 * 388682).
 */
export function impactOf(kind: ImpactKind, context: ActivationContext): string {
  return kind === 'activation' ? activationImpact(context) : IMPACTS[kind];
}

function activationImpact(context: ActivationContext): string {
  const license = context.licenseActive === true ? 'New tokens' : 'New tokens and licences';
  const offline =
    context.offlineSupported === true
      ? ' Users can still activate offline if offline provisioning is enabled on FortiAuthenticator.'
      : context.offlineSupported === null
        ? ' With FortiAuthenticator 6.6.1 and later, users can activate offline if offline provisioning is ' +
          'enabled on it.'
        : '';
  return `Activation does not work. ${license} cannot be activated. Active tokens keep working.${offline}`;
}
