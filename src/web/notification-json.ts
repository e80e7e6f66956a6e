import type { EpochMs } from '../core/clock.ts';
import type { OutboxEntry } from '../engine/incident/journal.ts';
import { eventOf, incidentsOf } from '../engine/incident/notification.ts';
import { maskedDetail, maskedRecipient } from './masked-recipient.ts';

/**
 * One notification to one recipient, of `/api/v1/notifications`: names are part of the contract. Times are ISO 8601,
 * UTC.
 */
export interface NotificationJson {
  /** The same for every recipient. */
  readonly id: string;
  readonly event: string;
  /** What it tells of: one, several for a digest, none for a test. */
  readonly incidents: readonly { readonly id: string; readonly cause: string; readonly subject: string }[];
  readonly channel: string;
  /** Masked. */
  readonly recipient: string;
  readonly status: string;
  readonly createdAt: string;
  readonly attempts: number;
  readonly firstFailedAt: string | null;
  /** null: it is not tried again. */
  readonly nextAttemptAt: string | null;
  readonly finishedAt: string | null;
  /** What the peer said last; masked. */
  readonly detail: string;
}

export function notificationToJson({ notification, delivery }: OutboxEntry): NotificationJson {
  return {
    id: notification.id,
    event: eventOf(notification),
    incidents: incidentsOf(notification).map(({ id, cause }) => ({ id, cause: cause.id, subject: cause.subject })),
    channel: delivery.channel,
    recipient: maskedRecipient(delivery),
    status: delivery.status,
    createdAt: iso(delivery.createdAt),
    attempts: delivery.attempts,
    firstFailedAt: isoOrNull(delivery.firstFailedAt),
    nextAttemptAt: delivery.status === 'pending' ? iso(delivery.nextAttemptAt) : null,
    finishedAt: isoOrNull(delivery.finishedAt),
    detail: maskedDetail(delivery),
  };
}

function iso(at: EpochMs): string {
  return new Date(at).toISOString();
}

function isoOrNull(at: EpochMs | null): string | null {
  return at === null ? null : iso(at);
}
