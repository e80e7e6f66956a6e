import type { EpochMs } from '../../core/clock.ts';
import type { Incident, IncidentState } from './incident.ts';
import type { IncidentPolicy } from './policy.ts';

/**
 * Drops what has no future: silences that are over, and incidents that ended, were told, and are too old to come back or to count as an outage.
 */
export function forget(state: IncidentState, now: EpochMs, policy: IncidentPolicy): IncidentState {
  return {
    ...state,
    silences: state.silences.filter(({ until }) => until > now),
    incidents: state.incidents.filter((incident) => isKept(incident, now, policy)),
  };
}

function isKept({ closedAt, lastNotified, awaitsDigest }: Incident, now: EpochMs, policy: IncidentPolicy): boolean {
  if (closedAt === null || (policy.tells && (lastNotified !== null || awaitsDigest))) return true;
  return closedAt <= now && now - closedAt < Math.max(policy.reopenWindow, policy.flapping.within);
}
