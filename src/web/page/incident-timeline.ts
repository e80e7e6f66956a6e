import type { AuditEntry } from '../../core/audit.ts';
import type { EpochMs } from '../../core/clock.ts';
import { type FormerCause, firstOccurrence, type Incident, type Occurrence } from '../../engine/incident/incident.ts';
import type { OutboxEntry } from '../../engine/incident/journal.ts';
import { incidentsOf } from '../../engine/incident/notification.ts';
import type { AlertHistory } from '../alert-history.ts';
import { type DeliveryGroup, deliveryGroupsOf } from './delivery-group.ts';

/** One step in the story of an incident. */
export type TimelineStep =
  | { readonly kind: 'seen' | 'opened'; readonly at: EpochMs }
  | { readonly kind: 'closed'; readonly at: EpochMs; readonly occurrence: Occurrence }
  /** Until then it was understood as something else. */
  | { readonly kind: 'understood'; readonly at: EpochMs; readonly former: FormerCause }
  /** Somebody silenced it, took it on, said something about it, or ended that. */
  | { readonly kind: 'changed'; readonly at: EpochMs; readonly change: AuditEntry }
  | { readonly kind: 'told'; readonly at: EpochMs; readonly group: DeliveryGroup };

/** Oldest first. */
export function timelineOf(
  incident: Incident,
  { outboxEntries, changes }: Pick<AlertHistory, 'outboxEntries' | 'changes'>,
): readonly TimelineStep[] {
  const occurrences = [...incident.earlier, incident];
  const steps: readonly TimelineStep[] = [
    ...occurrences.flatMap(beginOf),
    ...incident.formerCauses.map((former) => ({ kind: 'understood' as const, at: former.until, former })),
    ...changes
      .filter((change) => isAbout(change, incident))
      .map((change) => ({
        kind: 'changed' as const,
        at: change.at,
        change,
      })),
    ...occurrences.flatMap((occurrence) =>
      occurrence.closedAt === null ? [] : [{ kind: 'closed' as const, at: occurrence.closedAt, occurrence }],
    ),
    // Last: what happens at one time is told after it.
    ...deliveryGroupsAbout(incident, outboxEntries).map((group) => ({
      kind: 'told' as const,
      at: group.notification.at,
      group,
    })),
  ];
  return steps.toSorted((a, b) => a.at - b.at);
}

function beginOf({ since, openedAt }: Occurrence): readonly TimelineStep[] {
  return [...(since < openedAt ? [{ kind: 'seen' as const, at: since }] : []), { kind: 'opened', at: openedAt }];
}

function isAbout(change: AuditEntry, incident: Incident): boolean {
  const { action, at, cause, subject } = change;
  if (action === 'reload') return false;
  if (change.incident !== null) return change.incident === incident.id;
  if (at < firstOccurrence(incident).since || at > (incident.closedAt ?? at)) return false;
  const causes = [incident.cause, ...incident.formerCauses];
  return causes.some((own) => (cause === null || cause === own.id) && (subject === null || subject === own.subject));
}

/** What was to be told of it, whether it has arrived or not. */
export function deliveryGroupsAbout(
  incident: Incident,
  outboxEntries: readonly OutboxEntry[],
): readonly DeliveryGroup[] {
  return deliveryGroupsOf(
    outboxEntries.filter(({ notification }) => incidentsOf(notification).some(({ id }) => id === incident.id)),
  );
}
