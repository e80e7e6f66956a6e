import type { EpochMs } from '../core/clock.ts';
import type { Diagnosis } from '../core/diagnosis.ts';
import { EXPLANATIONS } from '../core/diagnosis/explanations.ts';
import type { Incident } from '../core/incident/incident.ts';
import type { FaultsSeen } from '../core/polling/explained.ts';
import type { PreconditionId } from '../core/precondition.ts';

const EXPLAINING: ReadonlySet<PreconditionId> = new Set(EXPLANATIONS.filter(({ id }) => id === 'polling').map(({ by }) => by));

/** What is broken that makes FortiAuthenticator complain in its log. */
export function explainingFaults({ preconditions, at }: Diagnosis): FaultsSeen {
  return new Map(preconditions.filter(({ id, state }) => state === 'broken' && EXPLAINING.has(id)).map(({ id }) => [id, at]));
}

/** When such faults were seen last, as the incidents remember it over a restart. */
export function lastExplainingFaults(incidents: readonly Incident[]): FaultsSeen {
  const seen = new Map<PreconditionId, EpochMs>();
  for (const { cause, lastSeen } of incidents)
    if (EXPLAINING.has(cause.precondition)) seen.set(cause.precondition, Math.max(lastSeen, seen.get(cause.precondition) ?? 0));
  return seen;
}
