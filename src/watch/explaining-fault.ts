import type { EpochMs } from '../core/clock.ts';
import type { Diagnosis } from '../core/diagnosis.ts';
import { EXPLANATIONS } from '../core/diagnosis/explanations.ts';
import type { Incident } from '../core/incident/incident.ts';
import type { PreconditionId } from '../core/precondition.ts';

const EXPLAINING: ReadonlySet<PreconditionId> = new Set(EXPLANATIONS.filter(({ id }) => id === 'polling').map(({ by }) => by));

/** Whether something is broken that makes FortiAuthenticator complain in its log. */
export function explainsPolling({ preconditions }: Diagnosis): boolean {
  return preconditions.some(({ id, state }) => state === 'broken' && EXPLAINING.has(id));
}

/** When such a fault was seen last, as the incidents remember it over a restart; null: not lately. */
export function lastExplainingFault(incidents: readonly Incident[]): EpochMs | null {
  const seen = incidents.filter(({ cause }) => EXPLAINING.has(cause.precondition)).map(({ lastSeen }) => lastSeen);
  return seen.length === 0 ? null : Math.max(...seen);
}
