import { counted, nameList } from '../core/phrases.ts';
import { type FirewallObservation, policyText } from '../core/license/firewall.ts';
import { instantText } from '../core/time-text.ts';
import { type Cause, type Diagnosis, type PreconditionStatus, isFault } from '../engine/model.ts';
import { type Incident, sameCause } from '../engine/incident/incident.ts';
import { presenceOf, type RoundView, roundView, showsStill } from '../engine/incident/round-view.ts';
import { UNKNOWN_CAUSE, capital } from '../engine/words.ts';
import { remedyOf, ANY_SERVER } from '../engine/remedy-words.ts';
import { firewallPolicy } from './firewall-policy/judge.ts';
import { CHECKS, titleOf } from './registry.ts';

export type RepairAnswer = 'in-force' | 'not-in-force' | 'not-visible';

/** Whether the repair of an incident is effective. Its JSON form is part of the contract (`check --verify --json`). */
export interface RepairVerdict {
  /** ID of the incident, or of the incident that it was merged into. */
  readonly incident: string;
  readonly cause: string;
  readonly subject: string;
  readonly answer: RepairAnswer;
  /** One or more sentences. */
  readonly why: string;
  /** The next step of the remedy, or how to find out; null if the repair is effective or nothing is known. */
  readonly next: string | null;
  /** Null if no firewall is configured or its policy is unrelated to the cause. */
  readonly policy: PolicyComparison | null;
}

/** The observations of a round after the repair. */
interface AfterRepair {
  readonly diagnosis: Diagnosis;
  readonly firewall: readonly FirewallObservation[];
  /**
   * Reports whether a subject was checked. A subject that was removed from the configuration is never seen again,
   * repaired or not.
   */
  readonly isLookedAt: (subject: string) => boolean;
  /** Reasons why other sources that may have seen the cause could not be queried now: the log, a peer. */
  readonly silent: readonly SilentWitness[];
}

export interface SilentWitness {
  /** Preconditions that this source may have reported on. */
  readonly of: readonly string[];
  readonly why: string;
}

type Judged = Pick<RepairVerdict, 'answer' | 'why' | 'next'>;

/**
 * Returns the verdict on a repair. It is based only on the diagnosis: a cause counts as repaired only if it was judged,
 * by every source that may have shown it.
 */
export function repairVerdict(incident: Incident, seen: AfterRepair): RepairVerdict {
  const { cause } = incident;
  const hasPart = isOfPolicy(cause) && statusOf(firewallPolicy.id, seen)?.state !== 'not-configured';
  return {
    incident: incident.id,
    cause: cause.id,
    subject: cause.subject,
    ...(stillSeen(incident, seen) ?? (hasPart ? judgedWithPolicy : judgedAlone)(incident, seen)),
    policy: hasPart ? policyBeforeAndNow(incident, seen.firewall) : null,
  };
}

function judgedWithPolicy(incident: Incident, seen: AfterRepair): Judged {
  return (
    inspecting(incident.cause, seen) ??
    unseen(incident.cause, seen) ??
    unknownPolicy(incident.cause, seen) ??
    inForce(incident)
  );
}

function judgedAlone(incident: Incident, seen: AfterRepair): Judged {
  return unseen(incident.cause, seen) ?? inForce(incident);
}

/** Reports whether a policy can be involved. An inspecting policy can also appear as one of these preconditions. */
function isOfPolicy({ precondition }: Cause): boolean {
  return precondition === firewallPolicy.id || firewallPolicy.dependsOn.some(({ by }) => by === precondition);
}

function viewOf({ diagnosis }: AfterRepair): RoundView {
  return roundView({ diagnosis, fresh: null, checks: CHECKS });
}

function statusOf(id: string, { diagnosis }: AfterRepair): PreconditionStatus | undefined {
  return diagnosis.preconditions.find((status) => status.id === id);
}

/** Looks for the cause itself, one of its former causes, or another fault of the same subject. */
function stillSeen({ cause, formerCauses, status, since, closedAt }: Incident, seen: AfterRepair): Judged | null {
  const { causes } = viewOf(seen);
  const same = causes.find((other) => sameCause(other, cause));
  const before = causes.find((other) => formerCauses.some((former) => sameCause(former, other)));
  const shown = same ?? before;
  if (shown !== undefined) {
    const times =
      status === 'open' || closedAt === null
        ? `Seen since ${instantText(since)}, and in this round.`
        : `It was over at ${instantText(closedAt)}, and is seen again.`;
    return { answer: 'not-in-force', why: `${shown.summary} ${times}`, next: shown.remedy[0] ?? null };
  }
  const other = causes.find(
    ({ precondition, subject, severity }) =>
      precondition === cause.precondition && subject === cause.subject && severity !== 'info',
  );
  if (other === undefined) return null;
  const why = `The cause is not seen any more, but ${cause.subject} has another fault: ${other.summary}`;
  return { answer: 'not-in-force', why, next: other.remedy[0] ?? null };
}

/**
 * Returns a verdict if the firewall reports that the current policy still causes the fault, regardless of this
 * machine's view of the path.
 */
function inspecting(cause: Cause, seen: AfterRepair): Judged | null {
  const faults = statusOf(firewallPolicy.id, seen)?.findings.filter(isFault) ?? [];
  // Another address may have a different policy, which is not part of this incident.
  const own =
    cause.precondition === firewallPolicy.id ? faults.filter(({ subject }) => subject === cause.subject) : faults;
  const [fault] = own;
  if (fault === undefined) return null;
  const told = seen.diagnosis.causes.find(({ id }) => id === fault.suggests) ?? cause;
  const why = `The policy that matches ${fault.subject} now is not right yet: ${fault.claim}`;
  return { answer: 'not-in-force', why, next: told.remedy[0] ?? null };
}

/** Returns why a cause that is no longer seen cannot be called repaired yet. */
function unseen(cause: Cause, seen: AfterRepair): Judged | null {
  const status = statusOf(cause.precondition, seen);
  if (status === undefined) return notVisible(`No check looks at "${cause.precondition}" in this version.`, null);
  return unlooked(status) ?? unjudged(cause, status, seen) ?? unwitnessed(cause, seen);
}

function unlooked({ id, state, summary, blockedBy }: PreconditionStatus): Judged | null {
  switch (state) {
    case 'not-configured':
      return notVisible(`"${titleOf(id)}" is not looked at: ${summary}.`, 'Put what it needs into the configuration.');
    case 'blocked': {
      const deeper = nameList(blockedBy.map(titleOf));
      return notVisible(`"${titleOf(id)}" cannot be judged while this is broken: ${deeper}.`, REPAIR_FIRST);
    }
    case 'ok':
    case 'warning':
    case 'broken':
    case 'unknown':
      return null;
  }
}

const REPAIR_FIRST = 'Repair that first, then ask again.';

function unjudged(cause: Cause, { id, summary, findings }: PreconditionStatus, seen: AfterRepair): Judged | null {
  const view = viewOf(seen);
  if (showsStill(cause, view)) {
    const why = 'It is still seen, as a part of another fault.';
    return { answer: 'not-in-force', why, next: cause.remedy[0] ?? null };
  }
  const blank = findings.find(({ level }) => level === 'unknown');
  if (blank === undefined && presenceOf(cause, view) === 'absent') return null;
  return notVisible(`"${titleOf(id)}" could not be judged: ${withStop(blank?.claim ?? summary)}`, unknownRemedyOf(id));
}

/**
 * Returns why a clean result is not sufficient. It does not prove that the subject was checked by every source that may
 * have shown the cause.
 */
function unwitnessed({ id, precondition, subject }: Cause, seen: AfterRepair): Judged | null {
  if (id !== UNKNOWN_CAUSE && !seen.isLookedAt(subject))
    return notVisible(`Nothing that was looked at is called ${subject}.`, 'Put it back into the configuration.');
  const silent = seen.silent.find(({ of }) => of.includes(precondition));
  return silent === undefined ? null : notVisible(silent.why, 'Ask again when it can be heard.');
}

function unknownPolicy({ precondition }: Cause, seen: AfterRepair): Judged | null {
  const status = statusOf(firewallPolicy.id, seen);
  // If the cause is about the policy itself, its address was judged already.
  if (status?.state === 'ok' || precondition === firewallPolicy.id) return null;
  const blank = status?.findings.find(({ level }) => level === 'unknown');
  const reason = blank?.claim ?? status?.summary ?? 'It was not asked';
  const why = `Which policy matches now is not known: ${withStop(reason)}`;
  return notVisible(why, unknownRemedyOf(firewallPolicy.id));
}

function inForce({ cause, returns }: Incident): Judged {
  const why = `${titleOf(cause.precondition)} was judged, and the cause is not seen any more.`;
  const again = ` It came back ${counted(returns.length, 'time')} before: ask again later.`;
  return { answer: 'in-force', why: returns.length === 0 ? why : `${why}${again}`, next: null };
}

function notVisible(why: string, next: string | null): Judged {
  return { answer: 'not-visible', why, next };
}

function withStop(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}

function unknownRemedyOf(id: string): string | null {
  const check = CHECKS.find((one) => one.id === id);
  return check === undefined ? null : (remedyOf([check.unknownRemedy], ANY_SERVER).remedy[0] ?? null);
}

/** The policy that matched during an incident, and the policy that matches now. */
interface PolicyComparison {
  /** Reported by the firewall when it showed the cause. Null if it reported no fault in the policy. */
  readonly before: string | null;
  /** Null if unknown. */
  readonly now: string | null;
}

function policyBeforeAndNow(
  { cause, openingPolicyReport }: Pick<Incident, 'cause' | 'openingPolicyReport'>,
  firewall: readonly FirewallObservation[],
): PolicyComparison {
  const now = firewall.flatMap(matchText);
  return { before: cause.policyReport ?? openingPolicyReport, now: now.length === 0 ? null : now.join(' ') };
}

function matchText(observation: FirewallObservation): readonly string[] {
  if (observation.kind !== 'ok') return [];
  const { match, source, destination } = observation;
  const flow = `${source} to ${destination}`;
  if (match.kind === 'implicit-deny') return [`No policy matches ${flow}.`];
  const { policy, inspection } = match;
  const profile = inspection.profile === null ? 'no SSL profile' : `SSL profile "${inspection.profile}"`;
  const denies = policy.action === 'deny' ? ' and denies it' : `, with ${profile}`;
  return [`${capital(policyText(policy))} matches ${flow}${denies}.`];
}
