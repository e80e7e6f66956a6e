import { isGivenUp } from '../engine/incident/journal.ts';
import type { ChannelId, Delivery, Parcel } from '../engine/incident/journal.ts';

const CHANNELS: Readonly<Record<ChannelId, string>> = { email: 'mail', webhook: 'web hook' };

/** The notifications to look at, and to whom the configuration sends them. */
export interface Told {
  /** What is over and what is still tried, latest first. */
  readonly parcels: readonly Parcel[];
  /** What was given up although its incident is open. */
  readonly givenUp: readonly Parcel[];
  readonly isRecipient: (to: Pick<Delivery, 'channel' | 'recipient'>) => boolean;
}

/**
 * In words for people: the channels by which somebody was not told. A recipient counts from the notification that was
 * given up until a later one arrives. Without names: it is shown to everybody who asks whether the daemon is ready.
 */
export function givenUpProblems({ parcels, givenUp, isRecipient }: Told): readonly string[] {
  const last = new Map<string, Delivery>();
  for (const { delivery } of parcels)
    if (isOver(delivery) && !last.has(nameOf(delivery))) last.set(nameOf(delivery), delivery);
  for (const { delivery } of givenUp) last.set(nameOf(delivery), delivery);
  const untold = [...last.values()].filter((delivery) => isGivenUp(delivery) && isRecipient(delivery));
  return [...Map.groupBy(untold, ({ channel }) => channel)].map(
    ([channel, { length }]) =>
      `Notifications by ${CHANNELS[channel]} were refused or given up for ${String(length)} recipient${length === 1 ? '' : 's'}: see the page and the log`,
  );
}

function isOver(delivery: Delivery): boolean {
  return delivery.status === 'sent' || isGivenUp(delivery);
}

function nameOf({ channel, recipient }: Delivery): string {
  return `${channel} ${recipient}`;
}
