import type { Cause } from '../cause.ts';
import { sameCause } from './incident.ts';
import type { Incident } from './incident.ts';

/**
 * The open incident that a newly seen cause continues, if any: the fault is the same one, only better understood. That is
 * so when the cause explains what the incident is about (it blocks that precondition), when it sits at the same place
 * (interception suspected, then confirmed), or when the incident had this very cause before. An incident whose own cause
 * is still there is a fault of its own.
 */
export function continuedBy(incidents: readonly Incident[], cause: Cause, present: readonly Cause[]): Incident | null {
  if (cause.severity === 'info') return null;
  return (
    incidents.find(
      (incident) =>
        incident.status === 'open' &&
        incident.cause.severity !== 'info' &&
        !present.some((other) => sameCause(other, incident.cause)) &&
        explains(cause, incident),
    ) ?? null
  );
}

function explains(cause: Cause, incident: Incident): boolean {
  return (
    cause.consequences.includes(incident.cause.precondition) ||
    (cause.precondition === incident.cause.precondition && cause.subject === incident.cause.subject) ||
    incident.formerCauses.some((former) => sameCause(former, cause))
  );
}
