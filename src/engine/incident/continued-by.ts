import type { Cause } from '../cause.ts';
import type { Check } from '../check.ts';
import { UNKNOWN_CAUSE } from '../words/unknown.ts';
import { isOpenFault, sameCause } from './incident.ts';
import type { Incident } from './incident.ts';
import { showsStill } from './round-view.ts';
import type { RoundView } from './round-view.ts';

/**
 * The open incident that a newly confirmed cause continues, if any: the fault is the same one, only better understood.
 * That is so when the incident had this very cause before, when it was only suspected and this is what it was, when it
 * was a part of what is broken as a whole now, when the cause explains what the incident is about while that lasts, and
 * when it cannot be judged any more.
 * Everything else is a fault of its own, as is an incident whose own cause is still there.
 */
export function continuedBy(incidents: readonly Incident[], cause: Cause, view: RoundView): Incident | null {
  if (cause.severity === 'info') return null;
  const open = incidents.filter(
    (incident) => isOpenFault(incident) && !view.causes.some((present) => sameCause(present, incident.cause)),
  );
  return (
    open.find(({ formerCauses }) => formerCauses.some((former) => sameCause(former, cause))) ??
    open.find(
      (incident) =>
        settlesSuspicion(cause, incident.cause) ||
        isWholeOf(cause, incident.cause, view.checks) ||
        (cause.id === UNKNOWN_CAUSE && incident.cause.precondition === cause.precondition) ||
        isCauseOf(cause, incident.cause, view),
    ) ??
    null
  );
}

function settlesSuspicion(cause: Cause, before: Cause): boolean {
  return (
    before.confidence === 'suspected' &&
    cause.confidence === 'confirmed' &&
    before.precondition === cause.precondition &&
    before.subject === cause.subject
  );
}

function isWholeOf(whole: Cause, part: Cause, checks: readonly Check[]): boolean {
  return (
    whole.subject === part.subject &&
    whole.precondition === part.precondition &&
    checks.find(({ id }) => id === part.precondition)?.causes[part.id]?.partOf === whole.id
  );
}

function isCauseOf(cause: Cause, symptom: Cause, view: RoundView): boolean {
  return cause.consequences.includes(symptom.precondition) && showsStill(symptom, view);
}
