import type { EpochMs } from '../../core/clock.ts';
import type { FormerCause, Incident } from '../../engine/incident/incident.ts';
import type { Parcel } from '../../engine/incident/journal.ts';
import { incidentsOf } from '../../engine/incident/notification.ts';
import { type Telling, tellingsOf } from './telling.ts';

/** One step in the story of an incident. */
export type TimelineStep =
  | { readonly kind: 'seen' | 'opened' | 'closed'; readonly at: EpochMs }
  /** Until then it was understood as something else. */
  | { readonly kind: 'understood'; readonly at: EpochMs; readonly former: FormerCause }
  | { readonly kind: 'told'; readonly at: EpochMs; readonly telling: Telling };

/** Oldest first. */
export function timelineOf(incident: Incident, parcels: readonly Parcel[]): readonly TimelineStep[] {
  const { since, openedAt, closedAt, formerCauses } = incident;
  const steps: readonly TimelineStep[] = [
    ...(since < openedAt ? [{ kind: 'seen' as const, at: since }] : []),
    { kind: 'opened', at: openedAt },
    ...formerCauses.map((former) => ({ kind: 'understood' as const, at: former.until, former })),
    ...(closedAt === null ? [] : [{ kind: 'closed' as const, at: closedAt }]),
    // Last: what happens at one time is told after it.
    ...tellingsAbout(incident, parcels).map((telling) => ({
      kind: 'told' as const,
      at: telling.notification.at,
      telling,
    })),
  ];
  return steps.toSorted((a, b) => a.at - b.at);
}

/** What was to be told of it, whether it has arrived or not. */
export function tellingsAbout(incident: Incident, parcels: readonly Parcel[]): readonly Telling[] {
  return tellingsOf(
    parcels.filter(({ notification }) => incidentsOf(notification).some(({ id }) => id === incident.id)),
  );
}
