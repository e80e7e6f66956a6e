import type { ChannelsConfig } from '../../config/schema/channels.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import type { Severity } from '../../core/severity.ts';
import type { IncidentState, Notification } from '../../engine/incident/incident.ts';
import { messageOf } from '../../text/message-of.ts';
import type { EgressDeps } from '../../network/http/egress.ts';
import type { MessageContext } from '../../document/notification.ts';

/** Channels never throw if a recipient cannot be reached. */
export type Channel = MessageChannel | StateChannel;

/** The outbox keeps each notification until this channel has delivered it. */
export interface MessageChannel {
  readonly kind: 'messages';
  /** An ID from the registry. */
  readonly id: string;
  /** Names are stored and logged, so they must not contain secrets. */
  readonly recipients: readonly string[];
  readonly minSeverity: Severity;
  deliver(request: DeliveryRequest, signal: AbortSignal): Promise<readonly RecipientOutcome[]>;
}

export interface DeliveryRequest {
  readonly notification: Notification;
  readonly recipients: readonly string[];
  readonly firstFailedAt: EpochMs | null;
}

/**
 * Repeatedly sends the current state. No outbox is needed, because each message replaces all messages that were missed.
 */
export interface StateChannel {
  readonly kind: 'state';
  readonly id: string;
  /** Returns an outcome for each recipient to whom a message was sent. */
  publish(state: IncidentState, signal: AbortSignal): Promise<readonly RecipientOutcome[]>;
  test(signal: AbortSignal): Promise<readonly RecipientOutcome[]>;
  /** Returns the number of recipients that rejected the last message. */
  waiting(): number;
  /** Returns the time of the last state that a recipient accepted, or null. */
  takenAt(): EpochMs | null;
}

export interface ChannelState {
  readonly name: string;
  /** The number of recipients that rejected the last message. */
  readonly silent: number;
  /** Null if no state has been accepted since startup or the last reload. */
  readonly tookAt: EpochMs | null;
}

/** Converts an exception into deferred outcomes, so that it affects neither other channels nor the process. */
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

/** `deferred`: not accepted yet. `rejected`: every server that could accept the message refused it. */
export interface RecipientOutcome {
  readonly recipient: string;
  readonly kind: 'sent' | 'deferred' | 'rejected';
  readonly detail: string;
  /** The pause that the recipient requested. */
  readonly retryAfter?: Millis;
}

/** Creates the configured channels of one kind. */
export type CreateChannels = (notify: ChannelsConfig, deps: ChannelDeps) => readonly Channel[];

export type ChannelDeps = MessageContext &
  EgressDeps & {
    /** The version of ftm-watch. */
    readonly version: string;
  };
