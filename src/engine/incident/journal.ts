import type { EpochMs } from '../../core/clock.ts';
import type { Incident, IncidentState } from './incident.ts';
import type { Notification } from './notification.ts';

/** One notification on its way to one recipient: a mail address or the URL of a webhook. */
export interface Delivery {
  readonly notificationId: string;
  /** Id of a channel that the registry lists. */
  readonly channel: string;
  readonly recipient: string;
  readonly status: DeliveryStatus;
  readonly createdAt: EpochMs;
  readonly attempts: number;
  readonly firstFailedAt: EpochMs | null;
  readonly nextAttemptAt: EpochMs;
  readonly finishedAt: EpochMs | null;
  /** What the peer said last. Text of a stranger, bounded. */
  readonly detail: string;
}

/**
 * `rejected` and `expired` are given up: refused by all who could take it, or not taken for days. While its incident is
 * open it is tried again all the same. `withdrawn`: nobody wants it any more, since its recipient is not configured any
 * more, or something newer about the same incidents was sent or given up.
 */
export type DeliveryStatus = 'pending' | 'sent' | 'rejected' | 'expired' | 'withdrawn';

/**
 * What became of one attempt, as metrics count it. What was given up is counted so again at each attempt that fails.
 */
export type DeliveryResult = 'sent' | 'failed' | 'rejected' | 'expired';

/** Tells whether a delivery was given up. */
export function isGivenUp({ status }: Pick<Delivery, 'status'>): boolean {
  return status === 'rejected' || status === 'expired';
}

/** Tells one delivery from another. */
export function deliveryKey({ notificationId, channel, recipient }: Delivery): string {
  return `${notificationId} ${channel} ${recipient}`;
}

/** A delivery with what it carries. */
export interface OutboxEntry {
  readonly delivery: Delivery;
  readonly notification: Notification;
}

/** What one step of the machine asks to keep, all or nothing. */
export interface JournalEntry {
  readonly state: IncidentState;
  /** As they are after the step, for the history. */
  readonly incidents: readonly Incident[];
  readonly outboxEntries: readonly OutboxEntry[];
}

/**
 * Keeps what alerting must not forget. No operation throws: what cannot be written to disk is kept in memory, and
 * written as soon as the disk takes it.
 */
export interface AlertJournal {
  /** What was stored before; null: nothing, or nothing readable. */
  savedState(): IncidentState | null;
  record(entry: JournalEntry): void;
  /** Replaces deliveries by their new version. */
  update(deliveries: readonly Delivery[]): void;
  /** What is still to be delivered, oldest first. */
  pending(): readonly OutboxEntry[];
  /** What was given up although an incident that it tells of is still open, oldest first. */
  givenUp(): readonly OutboxEntry[];
}
