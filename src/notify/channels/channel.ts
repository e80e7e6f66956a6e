import type { EpochMs, Millis } from '../../core/clock.ts';
import type { Severity } from '../../core/severity.ts';
import type { IncidentState } from '../../engine/incident/incident.ts';
import type { Notification } from '../../engine/incident/notification.ts';
import { messageOf } from '../../text/message-of.ts';

/** A way to people or programs. It knows nothing of probes, and never throws for what its peer does. */
export type Channel = MessageChannel | StateChannel;

/** It carries notifications one by one: the outbox keeps each until it is delivered. */
export interface MessageChannel {
  readonly kind: 'messages';
  /** As the registry has it. */
  readonly id: string;
  /** Whom every notification goes to. No secret: the name is stored and logged. */
  readonly recipients: readonly string[];
  /** Nothing less grave is told to them. */
  readonly minSeverity: Severity;
  /** Tries once. One outcome for each recipient, whatever happens to the others. */
  deliver(request: DeliveryRequest, signal: AbortSignal): Promise<readonly RecipientOutcome[]>;
}

export interface DeliveryRequest {
  readonly notification: Notification;
  readonly recipients: readonly string[];
  /** When it failed for the first time; null: this is the first try. */
  readonly firstFailedAt: EpochMs | null;
}

/** It is sent what is true, again and again, and needs no outbox: what it missed, the next message holds. */
export interface StateChannel {
  readonly kind: 'state';
  /** As the registry has it. */
  readonly id: string;
  /** Sends to each recipient what it must hear now: an outcome for each that was sent something. */
  publish(state: IncidentState, signal: AbortSignal): Promise<readonly RecipientOutcome[]>;
  /** Sends a test message to each recipient, once. */
  test(signal: AbortSignal): Promise<readonly RecipientOutcome[]>;
  /** Recipients that did not take the last message, and that still have to hear something. */
  waiting(): number;
  /** When what a recipient took last was true: all that was firing then. Null: none has taken anything yet. */
  takenAt(): EpochMs | null;
}

/** A channel that breaks its promise never to throw takes neither the others nor the process with it. */
export async function orDeferred(
  recipients: readonly string[],
  attempt: () => Promise<readonly RecipientOutcome[]>,
): Promise<readonly RecipientOutcome[]> {
  try {
    return await attempt();
  } catch (error) {
    const detail = messageOf(error);
    return recipients.map((recipient) => ({ recipient, kind: 'deferred', detail }));
  }
}

/** `deferred`: not taken now; `rejected`: refused by all who could take it. `detail` is for people. */
export interface RecipientOutcome {
  readonly recipient: string;
  readonly kind: 'sent' | 'deferred' | 'rejected';
  readonly detail: string;
  /** How long the recipient asked not to be sent anything, where it asked. */
  readonly retryAfter?: Millis;
}
