import { nameList, timesText } from '../core/visible-text.ts';
import { type FirewallObservation, policyText } from '../core/firewall.ts';
import { instantText } from '../core/time-text.ts';
import { type Cause, type Diagnosis, type PreconditionStatus, isFault } from '../engine/model.ts';
import { type Incident, sameCause } from '../engine/incident/incident.ts';
import { presenceOf, type RoundView, roundView, showsStill } from '../engine/incident/round-view.ts';
import { UNKNOWN_CAUSE, capital } from '../engine/words.ts';
import { remedyOf, ANY_SERVER } from '../engine/remedy-words.ts';
import { firewallPolicy } from './firewall-policy/judge.ts';
import { CHECKS, titleOf } from './registry.ts';

export type RepairAnswer = 'in-force' | 'not-in-force' | 'not-visible';

/** Printed by `check --verify --json`, so the JSON format must stay compatible. */
export interface RepairVerdict {
  readonly incident: string;
  readonly cause: string;
  readonly subject: string;
  readonly answer: RepairAnswer;
  readonly why: string;
  /** Null if the repair is effective, or if no further step is known. */
  readonly next: string | null;
  /** Null if no firewall is configured, or if its policy is unrelated to the cause. */
  readonly policy: PolicyComparison | null;
}

interface AfterRepair {
  readonly diagnosis: Diagnosis;
  readonly firewall: readonly FirewallObservation[];
  /** False for a subject that was removed from the configuration, because its repair cannot be verified. */
  readonly isLookedAt: (subject: string) => boolean;
  /** Unavailable sources that could have reported the cause, such as the log or a peer. */
  readonly silent: readonly SilentWitness[];
}

export interface SilentWitness {
  readonly of: readonly string[];
  readonly why: string;
}

type Judged = Pick<RepairVerdict, 'answer' | 'why' | 'next'>;

/** A cause counts as repaired only if every source that can report the cause was checked. */
export function repairVerdict(incident: Incident, seen: AfterRepair): RepairVerdict {
  const { cause } = incident;
  const isOfPolicy =
    cause.precondition === firewallPolicy.id || firewallPolicy.dependsOn.some(({ by }) => by === cause.precondition);
  const hasPart = isOfPolicy && statusOf(firewallPolicy.id, seen)?.state !== 'not-configured';
  return {
    incident: incident.id,
    cause: cause.id,
    subject: cause.subject,
    ...(stillSeen(incident, seen) ??
      (hasPart ? stillInspected(cause, seen) : null) ??
      notVerified(cause, seen) ??
      (hasPart ? unknownPolicy(cause, seen) : null) ??
      inForce(incident)),
    policy: hasPart ? policyBeforeAndNow(incident, seen.firewall) : null,
  };
}

function viewOf({ diagnosis }: AfterRepair): RoundView {
  return roundView({ diagnosis, fresh: null, checks: CHECKS });
}

function statusOf(id: string, { diagnosis }: AfterRepair): PreconditionStatus | undefined {
  return diagnosis.preconditions.find((status) => status.id === id);
}

function stillSeen({ cause, formerCauses, status, since, closedAt }: Incident, seen: AfterRepair): Judged | null {
  const { causes } = viewOf(seen);
  const same = causes.find((other) => sameCause(other, cause));
  const before = causes.find((other) => formerCauses.some((former) => sameCause(former, other)));
  const shown = same ?? before;
  if (shown !== undefined) {
    const times =
      status === 'open' || closedAt === null
        ? `The fault was first detected at ${instantText(since)} and was detected again by this check.`
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

/** The current policy may still be at fault even if this machine no longer detects the cause. */
function stillInspected(cause: Cause, seen: AfterRepair): Judged | null {
  const faults = statusOf(firewallPolicy.id, seen)?.findings.filter(isFault) ?? [];
  // Another address may match a different policy, which is not part of this incident.
  const own =
    cause.precondition === firewallPolicy.id ? faults.filter(({ subject }) => subject === cause.subject) : faults;
  const [fault] = own;
  if (fault === undefined) return null;
  const told = seen.diagnosis.causes.find(({ id }) => id === fault.suggests) ?? cause;
  const why = `The policy that now matches ${fault.subject} still has a fault: ${fault.claim}`;
  return { answer: 'not-in-force', why, next: told.remedy[0] ?? null };
}

function notVerified(cause: Cause, seen: AfterRepair): Judged | null {
  const status = statusOf(cause.precondition, seen);
  if (status === undefined) return notVisible(`This version has no check for "${cause.precondition}".`, null);
  return notChecked(status) ?? notAbsent(cause, status, seen) ?? notConfirmed(cause, seen);
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

const REPAIR_FIRST = 'Repair that first, then run this command again.';

function notAbsent(cause: Cause, { id, summary, findings }: PreconditionStatus, seen: AfterRepair): Judged | null {
  const view = viewOf(seen);
  if (showsStill(cause, view)) {
    const why = 'The fault is still detected, as part of another fault.';
    return { answer: 'not-in-force', why, next: cause.remedy[0] ?? null };
  }
  const blank = findings.find(({ level }) => level === 'unknown');
  if (blank === undefined && presenceOf(cause, view) === 'absent') return null;
  return notVisible(`"${titleOf(id)}" could not be checked: ${withStop(blank?.claim ?? summary)}`, unknownRemedyOf(id));
}

function notConfirmed({ id, precondition, subject }: Cause, seen: AfterRepair): Judged | null {
  if (id !== UNKNOWN_CAUSE && !seen.isLookedAt(subject))
    return notVisible(`${subject} was not checked.`, `Add ${subject} to the configuration again.`);
  const silent = seen.silent.find(({ of }) => of.includes(precondition));
  return silent === undefined ? null : notVisible(silent.why, 'Run this command again when that source is available.');
}

function unknownPolicy({ precondition }: Cause, seen: AfterRepair): Judged | null {
  const status = statusOf(firewallPolicy.id, seen);
  // A cause that concerns a firewall policy has already been evaluated for its own address.
  if (status?.state === 'ok' || precondition === firewallPolicy.id) return null;
  const blank = status?.findings.find(({ level }) => level === 'unknown');
  const reason = blank?.claim ?? status?.summary ?? 'The firewall was not queried';
  const why = `The policy that currently matches is unknown: ${withStop(reason)}`;
  return notVisible(why, unknownRemedyOf(firewallPolicy.id));
}

function inForce({ cause, returns }: Incident): Judged {
  const why = `"${titleOf(cause.precondition)}" was checked, and the cause is no longer detected.`;
  const again = ` The fault has returned ${timesText(returns.length)} before, so run this command again later.`;
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

interface PolicyComparison {
  /** Null if the evidence does not mention a policy. */
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
