import type { EpochMs } from '../core/clock.ts';
import type { ChannelId } from '../engine/incident/journal.ts';
import type { Notification } from '../engine/incident/notification.ts';

/** A way to people or programs. It knows nothing of probes, and never throws for what its peer does. */
export interface Channel {
  readonly id: ChannelId;
  /** Whom every notification goes to. */
  readonly recipients: readonly string[];
  /** Tries once. One outcome for each recipient, whatever happens to the others. */
  deliver(shipment: Shipment, signal: AbortSignal): Promise<readonly RecipientOutcome[]>;
}

export interface Shipment {
  readonly notification: Notification;
  readonly recipients: readonly string[];
  /** When it failed for the first time; null: this is the first try. */
  readonly firstFailedAt: EpochMs | null;
}

/** `deferred`: not taken now; `rejected`: refused by all who could take it. `detail` is for people. */
export interface RecipientOutcome {
  readonly recipient: string;
  readonly kind: 'sent' | 'deferred' | 'rejected';
  readonly detail: string;
}
