import { counted, nameList } from '../core/visible-text.ts';
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

/**
 * Verdict on whether an incident was repaired. `check --verify --json` prints this type, so its JSON format must stay
 * compatible.
 */
export interface RepairVerdict {
  /** ID of the incident. If the incident was merged, the ID of the incident into which it was merged. */
  readonly incident: string;
  readonly cause: string;
  readonly subject: string;
  readonly answer: RepairAnswer;
  /** The reason for the verdict, in one or more sentences. */
  readonly why: string;
  /** Next step for the user. Null if the repair is effective, or if no further step is known. */
  readonly next: string | null;
  /**
   * Comparison of the firewall policies. Null if no firewall is configured, or if its policy is unrelated to the cause.
   */
  readonly policy: PolicyComparison | null;
}

/** Observations from a round after the repair. */
interface AfterRepair {
  readonly diagnosis: Diagnosis;
  readonly firewall: readonly FirewallObservation[];
  /**
   * Reports whether a subject was checked in the round. A subject that was removed from the configuration is no longer
   * checked, so its repair cannot be verified.
   */
  readonly isLookedAt: (subject: string) => boolean;
  /** Currently unavailable sources that could have reported the cause, such as the log or a peer. */
  readonly silent: readonly SilentWitness[];
}

export interface SilentWitness {
  /** Preconditions that this source can verify. */
  readonly of: readonly string[];
  readonly why: string;
}

type Judged = Pick<RepairVerdict, 'answer' | 'why' | 'next'>;

/**
 * Returns the verdict on a repair, based only on the new diagnosis. A cause counts as repaired only if every source
 * that can report the cause was checked.
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
    stillInspected(incident.cause, seen) ??
    notVerified(incident.cause, seen) ??
    unknownPolicy(incident.cause, seen) ??
    inForce(incident)
  );
}

function judgedAlone(incident: Incident, seen: AfterRepair): Judged {
  return notVerified(incident.cause, seen) ?? inForce(incident);
}

/** Reports whether a firewall policy can be involved in the cause. */
function isOfPolicy({ precondition }: Cause): boolean {
  return precondition === firewallPolicy.id || firewallPolicy.dependsOn.some(({ by }) => by === precondition);
}

function viewOf({ diagnosis }: AfterRepair): RoundView {
  return roundView({ diagnosis, fresh: null, checks: CHECKS });
}

function statusOf(id: string, { diagnosis }: AfterRepair): PreconditionStatus | undefined {
  return diagnosis.preconditions.find((status) => status.id === id);
}

/** Checks the new diagnosis for the incident's cause, its former causes, and other faults of the same subject. */
function stillSeen({ cause, formerCauses, status, since, closedAt }: Incident, seen: AfterRepair): Judged | null {
  const { causes } = viewOf(seen);
  const same = causes.find((other) => sameCause(other, cause));
  const before = causes.find((other) => formerCauses.some((former) => sameCause(former, other)));
  const shown = same ?? before;
  if (shown !== undefined) {
    const times =
      status === 'open' || closedAt === null
        ? `The fault was first detected at ${instantText(since)} and was detected again in this round.`
        : `The fault ended at ${instantText(closedAt)} and has now returned.`;
    return { answer: 'not-in-force', why: `${shown.summary} ${times}`, next: shown.remedy[0] ?? null };
  }
  const other = causes.find(
    ({ precondition, subject, severity }) =>
      precondition === cause.precondition && subject === cause.subject && severity !== 'info',
  );
  if (other === undefined) return null;
  const why = `The cause is no longer detected, but ${cause.subject} has another fault: ${other.summary}`;
  return { answer: 'not-in-force', why, next: other.remedy[0] ?? null };
}

/**
 * Returns a verdict if the firewall reports that the current policy still causes the fault, even if this machine
 * detects no fault on the path.
 */
function stillInspected(cause: Cause, seen: AfterRepair): Judged | null {
  const faults = statusOf(firewallPolicy.id, seen)?.findings.filter(isFault) ?? [];
  // Another address may match a different policy. That policy is not part of this incident.
  const own =
    cause.precondition === firewallPolicy.id ? faults.filter(({ subject }) => subject === cause.subject) : faults;
  const [fault] = own;
  if (fault === undefined) return null;
  const told = seen.diagnosis.causes.find(({ id }) => id === fault.suggests) ?? cause;
  const why = `The policy that now matches ${fault.subject} still has a fault: ${fault.claim}`;
  return { answer: 'not-in-force', why, next: told.remedy[0] ?? null };
}

/** Returns the reason why a cause cannot be reported as repaired yet although it is no longer detected. */
function notVerified(cause: Cause, seen: AfterRepair): Judged | null {
  const status = statusOf(cause.precondition, seen);
  if (status === undefined) return notVisible(`This version has no check for "${cause.precondition}".`, null);
  return notChecked(status) ?? unjudged(cause, status, seen) ?? notConfirmed(cause, seen);
}

function notChecked({ id, state, summary, blockedBy }: PreconditionStatus): Judged | null {
  switch (state) {
    case 'not-configured':
      return notVisible(
        `"${titleOf(id)}" is not checked: ${summary}.`,
        'Add the missing settings to the configuration.',
      );
    case 'blocked': {
      const deeper = nameList(blockedBy.map(titleOf));
      return notVisible(`"${titleOf(id)}" cannot be checked because the following is broken: ${deeper}.`, REPAIR_FIRST);
    }
    case 'ok':
    case 'warning':
    case 'broken':
    case 'unknown':
      return null;
  }
}

const REPAIR_FIRST = 'Repair the broken precondition first, then run this command again.';

function unjudged(cause: Cause, { id, summary, findings }: PreconditionStatus, seen: AfterRepair): Judged | null {
  const view = viewOf(seen);
  if (showsStill(cause, view)) {
    const why = 'The fault is still detected, as part of another fault.';
    return { answer: 'not-in-force', why, next: cause.remedy[0] ?? null };
  }
  const blank = findings.find(({ level }) => level === 'unknown');
  if (blank === undefined && presenceOf(cause, view) === 'absent') return null;
  return notVisible(`"${titleOf(id)}" could not be checked: ${withStop(blank?.claim ?? summary)}`, unknownRemedyOf(id));
}

/**
 * Returns the reason why a clean result is not sufficient. Either the subject is no longer checked, or a source that
 * can report the cause is not available.
 */
function notConfirmed({ id, precondition, subject }: Cause, seen: AfterRepair): Judged | null {
  if (id !== UNKNOWN_CAUSE && !seen.isLookedAt(subject))
    return notVisible(`${subject} was not checked.`, 'Add the missing subject to the configuration again.');
  const silent = seen.silent.find(({ of }) => of.includes(precondition));
  return silent === undefined ? null : notVisible(silent.why, 'Run this command again when that source is available.');
}

function unknownPolicy({ precondition }: Cause, seen: AfterRepair): Judged | null {
  const status = statusOf(firewallPolicy.id, seen);
  // A cause that concerns a firewall policy has already been evaluated for its own address.
  if (status?.state === 'ok' || precondition === firewallPolicy.id) return null;
  const blank = status?.findings.find(({ level }) => level === 'unknown');
  const reason = blank?.claim ?? status?.summary ?? 'The firewall was not queried';
  const why = `The policy that matches now is unknown: ${withStop(reason)}`;
  return notVisible(why, unknownRemedyOf(firewallPolicy.id));
}

function inForce({ cause, returns }: Incident): Judged {
  const why = `"${titleOf(cause.precondition)}" was checked, and the cause is no longer detected.`;
  const again = ` The fault has returned ${counted(returns.length, 'time')} before, so run this command again later.`;
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

/** Policy that matched during an incident, and policy that matches now. */
interface PolicyComparison {
  /** Policy from the incident's evidence. Null if the evidence does not mention a policy. */
  readonly before: string | null;
  /** Policy that matches now. Null if it is unknown. */
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
