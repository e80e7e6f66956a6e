import { isoTime, isoTimeOrNull } from '../core/instant-text.ts';
import type { OutboxEntry } from '../engine/incident/journal.ts';
import { eventOf, incidentsOf } from '../engine/incident/notification.ts';
import { maskedDetail, maskedRecipient } from './masked-recipient.ts';

/**
 * Each notification to one recipient, as in `/api/v1/notifications`: names are part of the contract. Times are ISO
 * 8601, UTC.
 */
export function notificationsToJson(entries: readonly OutboxEntry[]): readonly object[] {
  return entries.map(({ notification, delivery }) => ({
    /** The same for every recipient. */
    id: notification.id,
    event: eventOf(notification),
    /** What it tells of: one, several for a digest, none for a test. */
    incidents: incidentsOf(notification).map(({ id, cause }) => ({ id, cause: cause.id, subject: cause.subject })),
    channel: delivery.channel,
    recipient: maskedRecipient(delivery),
    status: delivery.status,
    createdAt: isoTime(delivery.createdAt),
    attempts: delivery.attempts,
    firstFailedAt: isoTimeOrNull(delivery.firstFailedAt),
    /** null: it is not tried again. */
    nextAttemptAt: delivery.status === 'pending' ? isoTime(delivery.nextAttemptAt) : null,
    finishedAt: isoTimeOrNull(delivery.finishedAt),
    /** What the peer said last. */
    detail: maskedDetail(delivery),
  }));
}
