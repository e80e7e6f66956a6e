import type * as z from 'zod';
import type { Clock } from '../../core/clock.ts';
import type { EgressDeps } from './dispatcher.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { Channel } from './channel.ts';

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

export interface ChannelDeps extends MessageContext, EgressDeps {
  readonly clock: Clock;
}
