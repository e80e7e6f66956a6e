import type * as z from 'zod';
import type { EpochMs, Millis, Clock } from '../../core/clock.ts';
import type { Severity } from '../../core/severity.ts';
import type { IncidentState, Notification } from '../../engine/incident/incident.ts';
import { messageOf } from '../../text/message-of.ts';
import type { ProxyConfig } from '../../config/schema/secret.ts';
import type { SecretReader } from '../../system/secret.ts';
import type { MessageContext } from '../../document/notification.ts';

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

/** Whether the recipients of a channel that is told a state listen. */
export interface ChannelState {
  /** Of the channel, for people. */
  readonly name: string;
  /** Recipients that did not take the last message, and that still have to hear something. */
  readonly silent: number;
  /** As `StateChannel.takenAt`, since the start or the last reload. */
  readonly tookAt: EpochMs | null;
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

/** What the registry lists: all that the rest of the program has to know about one kind of channel. */
export interface ChannelDefinition<Id extends string, Key extends string, Section> {
  /** In the store, in the labels of metrics and in the API: part of the contract. */
  readonly id: Id;
  /** For people, inside a sentence: "by mail". */
  readonly name: string;
  /** What it makes: see `Channel`. */
  readonly kind: Channel['kind'];
  /**
   * How recipients are masked: people by their mail address, programs by a URL whose path may be a secret. `name`: as
   * the configuration calls them, and by the URL where it does not.
   */
  readonly recipients: 'mail-address' | 'url' | 'name';
  /** Its key under `notify` in the configuration. */
  readonly key: Key;
  /** What the configuration holds there; it says what an absent key means. */
  readonly section: z.ZodType<Section>;
  isConfigured(notify: ConfiguredAt<Key, Section>): boolean;
  /** The channels that the section asks for; none where it is absent. */
  create(notify: ConfiguredAt<Key, Section>, deps: ChannelDeps): readonly Channel[];
}

/** `notify` as far as the channel looks at it. */
type ConfiguredAt<Key extends string, Section> = Readonly<Record<Key, Section>>;

/** How channels and the heartbeat leave this network. Probes never use it. */
export interface EgressDeps {
  /** `notify.proxy`; null: the environment decides. */
  readonly proxy: ProxyConfig | null;
  /** For HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in small or capital letters. */
  readonly env: NodeJS.ProcessEnv;
  readonly readSecret: SecretReader;
}

export interface ChannelDeps extends MessageContext, EgressDeps {
  readonly clock: Clock;
}
