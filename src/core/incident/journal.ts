import type { EpochMs } from '../clock.ts';
import type { Incident, IncidentState } from './incident.ts';
import type { Notification } from './notification.ts';

/** Channels that carry notifications one by one. Alertmanager is told what is true instead, again and again. */
export type ChannelId = 'email' | 'webhook';

/** One notification on its way to one recipient: a mail address or the URL of a webhook. */
export interface Delivery {
  readonly notificationId: string;
  readonly channel: ChannelId;
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

/** `rejected`: refused for good; `expired`: not deliverable for so long that nobody wants it any more. */
export type DeliveryStatus = 'pending' | 'sent' | 'rejected' | 'expired';

/** A delivery with what it carries. */
export interface Parcel {
  readonly delivery: Delivery;
  readonly notification: Notification;
}

/** What one step of the machine asks to keep, all or nothing. */
export interface JournalEntry {
  readonly state: IncidentState;
  /** As they are after the step, for the history. */
  readonly incidents: readonly Incident[];
  readonly parcels: readonly Parcel[];
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
  pending(): readonly Parcel[];
}
