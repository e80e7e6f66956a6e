import type { AgentHealth, ChannelHealth } from '../core/agent.ts';
import type { EpochMs } from '../core/clock.ts';
import { isGivenUp, type Delivery, type OutboxEntry } from '../engine/incident/incident.ts';
import { CHANNEL_IDS, channelWords, type ChannelId } from '../config/schema/channels.ts';
import type { Store } from '../store/store.ts';

export function storeHealth(store: Pick<Store, 'failure' | 'newer'>): AgentHealth['store'] {
  const newer = store.newer();
  return { failure: newer ?? store.failure(), isNewer: newer !== null };
}

interface NotificationRecords {
  /** Latest first. */
  readonly deliveries: readonly Delivery[];
  /** Abandoned deliveries about incidents that are still open. */
  readonly givenUp: readonly OutboxEntry[];
  readonly isRecipient: (to: Pick<Delivery, 'channel' | 'recipient'>) => boolean;
  /** The time since which messages have been failing, by channel. */
  readonly failingSince: ReadonlyMap<ChannelId, EpochMs>;
}

/** After an abandoned notification, a recipient counts as not reached until a later notification is delivered. */
export function channelHealth({
  deliveries,
  givenUp,
  isRecipient,
  failingSince,
}: NotificationRecords): readonly ChannelHealth[] {
  const last = new Map<string, Delivery>();
  for (const delivery of deliveries)
    if (isOver(delivery) && !last.has(nameOf(delivery))) last.set(nameOf(delivery), delivery);
  for (const { delivery } of givenUp) last.set(nameOf(delivery), delivery);
  const unreached = [...last.values()].filter((delivery) => isGivenUp(delivery) && isRecipient(delivery));
  return CHANNEL_IDS.map((id) => ({
    name: channelWords(id).name,
    failingSince: failingSince.get(id) ?? null,
    unreached: unreached.filter(({ channel }) => channel === id).length,
  }));
}

function isOver(delivery: Delivery): boolean {
  return delivery.status === 'sent' || isGivenUp(delivery);
}

function nameOf({ channel, recipient }: Delivery): string {
  return `${channel} ${recipient}`;
}
