import type { EpochMs } from '../../core/clock.ts';
import type { Cause } from '../model.ts';
import { ENDED, type Incident, type IncidentPolicy, type IncidentState, isGap, sameFault } from './incident.ts';
import type { IncidentStep } from './round-view.ts';

export interface Resumption {
  readonly now: EpochMs;
  /** Not later than `now`. Null if the history contains no such round. */
  readonly lastRound: EpochMs | null;
}

/**
 * Continues the incidents of the previous process or configuration. Nothing new is sent about them until a round has
 * checked them. Incidents whose subject is no longer configured are closed, because no round will check them.
 * Version 0.1.0 opened an incident for each cause. Only the last one about a fault goes on.
 */
export function resume(state: IncidentState, resumption: Resumption, policy: IncidentPolicy): IncidentStep {
  const { now, lastRound } = resumption;
  const isLong = ({ precondition }: Cause, since: EpochMs): boolean =>
    isGap(policy, precondition, now - (lastRound ?? since));
  const incidents = state.incidents.map((incident): Incident => {
    if (incident.status === 'closed') return { ...incident, presence: 'resumed' };
    if (incident.subjectKind === 'configured' && !policy.isConfigured(incident.cause.subject))
      return ended(incident, now, 'removed');
    if (isContinued(incident, state)) return ended(incident, now, incident.subjectKind);
    // Rounds before and after a gap do not confirm each other.
    const isUnverified = incident.presence === 'unverified' || isLong(incident.cause, incident.lastSeen);
    return { ...incident, presence: isUnverified ? 'unverified' : 'resumed' };
  });
  return {
    state: {
      ...state,
      candidates: state.candidates.filter(
        ({ cause, looks, since }, index) =>
          !isLong(cause, looks.at(-1) ?? since) &&
          state.candidates.findIndex((other) => sameFault(other.cause, cause)) === index,
      ),
      incidents,
    },
    effects: incidents
      .filter(({ status }, index) => status !== state.incidents[index]?.status)
      .map((incident) => ({ kind: 'transition', transition: 'closed', incident })),
  };
}

function ended(incident: Incident, now: EpochMs, subjectKind: Incident['subjectKind']): Incident {
  return { ...incident, ...ENDED, presence: 'absent', closedAt: now, streak: 0, subjectKind };
}

/** A later incident is about the same fault. */
function isContinued(incident: Incident, { incidents }: IncidentState): boolean {
  const last = incidents.findLast(({ status, cause }) => status === 'open' && sameFault(cause, incident.cause));
  return last !== incident;
}
