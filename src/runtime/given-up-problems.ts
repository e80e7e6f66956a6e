import { isGivenUp, type Delivery, type OutboxEntry } from '../engine/incident/journal.ts';
import { channelWords } from '../notify/channels/registry.ts';
import { counted } from '../core/counted.ts';

/** The notifications to look at, and to whom the configuration sends them. */
export interface NotificationRecords {
  /** What is over and what is still tried, latest first. */
  readonly outboxEntries: readonly OutboxEntry[];
  /** What was given up although its incident is open. */
  readonly givenUp: readonly OutboxEntry[];
  readonly isRecipient: (to: Pick<Delivery, 'channel' | 'recipient'>) => boolean;
}

/**
 * In words for people: the channels by which somebody was not told. A recipient counts from the notification that was
 * given up until a later one arrives. Without names: it is shown to everybody who asks whether the daemon is ready.
 */
export function givenUpProblems({ outboxEntries, givenUp, isRecipient }: NotificationRecords): readonly string[] {
  const last = new Map<string, Delivery>();
  for (const { delivery } of outboxEntries)
    if (isOver(delivery) && !last.has(nameOf(delivery))) last.set(nameOf(delivery), delivery);
  for (const { delivery } of givenUp) last.set(nameOf(delivery), delivery);
  const untold = [...last.values()].filter((delivery) => isGivenUp(delivery) && isRecipient(delivery));
  return [...Map.groupBy(untold, ({ channel }) => channel)].map(
    ([channel, { length }]) =>
      `Notifications by ${channelWords(channel).name} were refused or given up for ${counted(length, 'recipient')}: ` +
      'see the page and the log',
  );
}

function isOver(delivery: Delivery): boolean {
  return delivery.status === 'sent' || isGivenUp(delivery);
}

function nameOf({ channel, recipient }: Delivery): string {
  return `${channel} ${recipient}`;
}
