import type * as z from 'zod';
import type { EpochMs, Millis, Clock } from '../../core/clock.ts';
import type { Severity } from '../../core/severity.ts';
import type { IncidentState, Notification } from '../../engine/incident/incident.ts';
import { messageOf } from '../../text/message-of.ts';
import type { ProxyConfig } from '../../config/schema/secret.ts';
import type { SecretReader } from '../../system/secret.ts';
import type { MessageContext } from '../../document/notification.ts';

/** A notification channel. Channels don't depend on probes and never throw if a recipient cannot be reached. */
export type Channel = MessageChannel | StateChannel;

/** A channel that sends individual notifications. The outbox keeps each notification until it has been delivered. */
export interface MessageChannel {
  readonly kind: 'messages';
  /** The channel's ID in the registry. */
  readonly id: string;
  /** The recipients of every notification. Their names are stored and logged, so the names must not contain secrets. */
  readonly recipients: readonly string[];
  /** The minimum severity of notifications that are sent to the recipients. */
  readonly minSeverity: Severity;
  /** Makes one delivery attempt. Returns a separate outcome for each recipient. */
  deliver(request: DeliveryRequest, signal: AbortSignal): Promise<readonly RecipientOutcome[]>;
}

export interface DeliveryRequest {
  readonly notification: Notification;
  readonly recipients: readonly string[];
  /** The time of the first failed attempt. Null if no attempt has failed. */
  readonly firstFailedAt: EpochMs | null;
}

/**
 * A channel that repeatedly sends the current state. It does not need the outbox, because each message replaces all
 * messages that were missed.
 */
export interface StateChannel {
  readonly kind: 'state';
  /** The channel's ID in the registry. */
  readonly id: string;
  /** Sends pending updates to all recipients. Returns an outcome for each recipient to whom a message was sent. */
  publish(state: IncidentState, signal: AbortSignal): Promise<readonly RecipientOutcome[]>;
  /** Sends one test message to each recipient. */
  test(signal: AbortSignal): Promise<readonly RecipientOutcome[]>;
  /** Returns the number of recipients that rejected the last message and need further updates. */
  waiting(): number;
  /** Returns the time of the last state that a recipient accepted. Null if no recipient has accepted a state. */
  takenAt(): EpochMs | null;
}

/** A state channel's delivery status, for the status page. */
export interface ChannelState {
  /** The display name of the channel. */
  readonly name: string;
  /** The number of recipients that rejected the last message and need further updates. */
  readonly silent: number;
  /**
   * The time of the last state that a recipient accepted. Null if none has been accepted since startup or the last
   * reload.
   */
  readonly tookAt: EpochMs | null;
}

/**
 * Converts an exception into a deferred outcome, so that an error in one channel affects neither other channels nor the
 * process.
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

/**
 * The result of a delivery attempt for one recipient. `deferred`: the message was not accepted yet. `rejected`: every
 * server that could accept the message refused it. `detail` is the explanation for people.
 */
export interface RecipientOutcome {
  readonly recipient: string;
  readonly kind: 'sent' | 'deferred' | 'rejected';
  readonly detail: string;
  /** The pause that the recipient requested. Omitted if the recipient requested no pause. */
  readonly retryAfter?: Millis;
}

/** A registry entry with all information about a type of channel that other parts of the program need. */
export interface ChannelDefinition<Id extends string, Key extends string, Section> {
  /** The ID of the channel. It is stored and used in metric labels and the API, so it must not change. */
  readonly id: Id;
  /** The name of the channel for use in a sentence, such as "by mail". */
  readonly name: string;
  /** The kind of channel that this entry creates (see `Channel`). */
  readonly kind: Channel['kind'];
  /**
   * Specifies how recipients are masked. People are identified by mail addresses, and programs by URLs whose paths can
   * be secret. `name` stands for the configured name, or the URL if no name is configured.
   */
  readonly recipients: 'mail-address' | 'url' | 'name';
  /** The channel's key under `notify` in the configuration. */
  readonly key: Key;
  /**
   * The schema of the channel's configuration section. It also defines the value that is used if the section is
   * missing.
   */
  readonly section: z.ZodType<Section>;
  isConfigured(notify: ConfiguredAt<Key, Section>): boolean;
  /** Creates the configured channels. Returns an empty list if the section is missing. */
  create(notify: ConfiguredAt<Key, Section>, deps: ChannelDeps): readonly Channel[];
}

/** The part of the `notify` section that belongs to this channel. */
type ConfiguredAt<Key extends string, Section> = Readonly<Record<Key, Section>>;

/**
 * The proxy settings with which channels and the heartbeat connect to the internet. Probes don't use these settings.
 */
export interface EgressDeps {
  /** The value of `notify.proxy`. If null, the proxy is taken from the environment. */
  readonly proxy: ProxyConfig | null;
  /** The environment variables, including HTTPS_PROXY, HTTP_PROXY and NO_PROXY in lower or upper case. */
  readonly env: NodeJS.ProcessEnv;
  readonly readSecret: SecretReader;
  readonly clock: Clock;
}

export type ChannelDeps = MessageContext & EgressDeps;
