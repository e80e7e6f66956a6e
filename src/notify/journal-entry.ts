import type { EpochMs } from '../core/clock.ts';
import type { Incident, IncidentState } from '../engine/incident/incident.ts';
import type { JournalEntry, OutboxEntry } from '../engine/incident/journal.ts';
import type { IncidentEffect } from '../engine/incident/machine-input.ts';
import { incidentsOf, type Notification } from '../engine/incident/notification.ts';
import { bySeverity } from './by-severity.ts';
import type { MessageChannel } from './channels/channel.ts';

/** What one step of the machine changed and what is to be sent because of it, to be kept before anything is sent. */
export function journalEntry(
  state: IncidentState,
  effects: readonly IncidentEffect[],
  channels: readonly MessageChannel[],
  now: EpochMs,
): JournalEntry {
  return {
    state,
    incidents: touched(state, effects),
    outboxEntries: effects.flatMap((effect) =>
      effect.kind === 'notify' ? outboxEntriesOf(effect.notification, channels, now) : [],
    ),
  };
}

/** A notification on its way to everybody who wants it. */
function outboxEntriesOf(
  notification: Notification,
  channels: readonly MessageChannel[],
  now: EpochMs,
): readonly OutboxEntry[] {
  const wanted = channels.filter(({ minSeverity }) => bySeverity(notification, minSeverity) !== null);
  return wanted.flatMap(({ id, recipients }) =>
    recipients.map(
      (recipient): OutboxEntry => ({
        notification,
        delivery: {
          notificationId: notification.id,
          channel: id,
          recipient,
          status: 'pending',
          createdAt: now,
          attempts: 0,
          firstFailedAt: null,
          nextAttemptAt: now,
          finishedAt: null,
          detail: '',
        },
      }),
    ),
  );
}

/** Those of the new state that the step changed, for the history. */
function touched(state: IncidentState, effects: readonly IncidentEffect[]): readonly Incident[] {
  const changed = effects.flatMap((effect) =>
    effect.kind === 'transition' ? [effect.incident] : incidentsOf(effect.notification),
  );
  const ids = new Set(changed.map(({ id }) => id));
  return state.incidents.filter(({ id }) => ids.has(id));
}
