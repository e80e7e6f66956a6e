import type * as z from 'zod';
import type { EpochMs, Millis, Clock } from '../../core/clock.ts';
import type { Severity } from '../../core/severity.ts';
import type { IncidentState, Notification } from '../../engine/incident/incident.ts';
import { messageOf } from '../../text/message-of.ts';
import type { ProxyConfig } from '../../config/schema/secret.ts';
import type { SecretReader } from '../../system/secret.ts';
import type { MessageContext } from '../../document/notification.ts';

/** A notification channel. It is independent of probes and never throws because of its peer. */
export type Channel = MessageChannel | StateChannel;

/** A channel for individual notifications. The outbox keeps each one until it is delivered. */
export interface MessageChannel {
  readonly kind: 'messages';
  /** ID in the registry. */
  readonly id: string;
  /** Recipients of every notification. Names are stored and logged, so they must not be secret. */
  readonly recipients: readonly string[];
  /** Minimum severity of the notifications that are sent to them. */
  readonly minSeverity: Severity;
  /** Tries to deliver once. Returns a separate outcome for each recipient. */
  deliver(request: DeliveryRequest, signal: AbortSignal): Promise<readonly RecipientOutcome[]>;
}

export interface DeliveryRequest {
  readonly notification: Notification;
  readonly recipients: readonly string[];
  /** Time of the first failure; null on the first attempt. */
  readonly firstFailedAt: EpochMs | null;
}

/**
 * A channel that repeatedly sends the current state. It needs no outbox, because each message replaces any that were
 * missed.
 */
export interface StateChannel {
  readonly kind: 'state';
  /** ID in the registry. */
  readonly id: string;
  /** Sends each recipient the updates that are due. Returns an outcome for each recipient that was sent something. */
  publish(state: IncidentState, signal: AbortSignal): Promise<readonly RecipientOutcome[]>;
  /** Sends a test message to each recipient, once. */
  test(signal: AbortSignal): Promise<readonly RecipientOutcome[]>;
  /** Number of recipients that rejected the last message and still have updates to receive. */
  waiting(): number;
  /** Time of the last state that a recipient accepted. Null if no state was accepted. */
  takenAt(): EpochMs | null;
}

/** Delivery status of a state channel, for the status page. */
export interface ChannelState {
  /** Display name of the channel. */
  readonly name: string;
  /** Number of recipients that rejected the last message and still have updates to receive. */
  readonly silent: number;
  /** Time of the last state that a recipient accepted since startup or the last reload. */
  readonly tookAt: EpochMs | null;
}

/**
 * Turns an exception into a deferred outcome, so that a faulty channel affects neither other channels nor the process.
 */
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

/** `deferred`: not accepted now. `rejected`: refused by every server that could accept it. `detail` is for people. */
export interface RecipientOutcome {
  readonly recipient: string;
  readonly kind: 'sent' | 'deferred' | 'rejected';
  readonly detail: string;
  /** Pause that the recipient requested. Absent if it requested none. */
  readonly retryAfter?: Millis;
}

/** A registry entry: everything that the rest of the program needs to know about a kind of channel. */
export interface ChannelDefinition<Id extends string, Key extends string, Section> {
  /** Used in the store, in metric labels and in the API, so it must stay stable. */
  readonly id: Id;
  /** Name for use in a sentence, such as "by mail". */
  readonly name: string;
  /** Kind of channel that it creates: see `Channel`. */
  readonly kind: Channel['kind'];
  /**
   * How recipients are masked: people by mail address, programs by URL, whose path may be secret. `name` means the
   * configured name, or the URL if there is none.
   */
  readonly recipients: 'mail-address' | 'url' | 'name';
  /** Key under `notify` in the configuration. */
  readonly key: Key;
  /** Schema of the section, which also defines the default for an absent key. */
  readonly section: z.ZodType<Section>;
  isConfigured(notify: ConfiguredAt<Key, Section>): boolean;
  /** Creates the configured channels; none if the section is absent. */
  create(notify: ConfiguredAt<Key, Section>, deps: ChannelDeps): readonly Channel[];
}

/** The part of `notify` that the channel uses. */
type ConfiguredAt<Key extends string, Section> = Readonly<Record<Key, Section>>;

/** How channels and the heartbeat connect to the internet. Probes never use it. */
export interface EgressDeps {
  /** `notify.proxy`; null to use the environment. */
  readonly proxy: ProxyConfig | null;
  /** Environment for HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in lower or upper case. */
  readonly env: NodeJS.ProcessEnv;
  readonly readSecret: SecretReader;
  readonly clock: Clock;
}

export type ChannelDeps = MessageContext & EgressDeps;
