import type { Cause } from '../cause.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { FormerCause, Incident } from './incident.ts';

const MAX_FORMER = 20;

/** The cause of an incident as one that it had. */
export function formerOf({ cause, causeSince, lastSeen, published }: Incident, now: EpochMs): FormerCause {
  const { id, subject, severity } = cause;
  return { id, subject, severity, since: causeSince, until: lastSeen, replacedAt: now, published };
}

/** The incident with another cause, of which Alertmanager is not told before it may be. */
export function withCause(
  incident: Incident,
  cause: Cause,
  { since, now }: { readonly since: EpochMs; readonly now: EpochMs },
): Incident {
  return {
    ...incident,
    cause,
    formerCauses: withFormer(incident, [formerOf(incident, now)]),
    causeSince: since,
    published: false,
    acknowledgement: null,
  };
}

export function withFormer({ formerCauses }: Incident, more: readonly FormerCause[]): readonly FormerCause[] {
  return [...formerCauses, ...more].slice(-MAX_FORMER);
}
