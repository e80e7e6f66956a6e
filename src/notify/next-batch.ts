import type { EpochMs } from '../core/clock.ts';
import type { AlertJournal, Delivery, OutboxEntry } from '../engine/incident/journal.ts';
import { incidentsOf } from '../engine/incident/notification.ts';
import type { MessageChannel } from './channels/channel.ts';
import { retryDelay } from './retry.ts';

/** The recipients of a channel that can be sent something now. */
interface Free extends Pick<MessageChannel, 'id' | 'recipients'> {
  /** It is just being tried. */
  readonly isUnderWay: (delivery: Delivery) => boolean;
}

/**
 * What is to be tried next: one notification that is due, with all its recipients that it is due for. What was never
 * tried comes first, so that nothing new waits for a long queue of what a server puts off.
 */
export function nextBatch(
  journal: AlertJournal,
  { id, recipients, isUnderWay }: Free,
  now: EpochMs,
): readonly OutboxEntry[] {
  const isOurs = ({ delivery }: OutboxEntry): boolean =>
    delivery.channel === id && recipients.includes(delivery.recipient);
  const due = [...journal.givenUp().filter(isOurs), ...inOrder(journal.pending().filter(isOurs))]
    .filter(({ delivery }) => isDue(delivery, now) && !isUnderWay(delivery))
    .toSorted((a, b) => a.delivery.attempts - b.delivery.attempts);
  const [first] = due;
  return first === undefined ? [] : due.filter(({ notification }) => notification.id === first.notification.id);
}

/**
 * Those that wait for nothing older about the same incident that is still on its way to the same recipient.
 * A digest goes when one of its incidents waits for nothing.
 */
function inOrder(pending: readonly OutboxEntry[]): readonly OutboxEntry[] {
  const waiting = new Set<string>();
  return pending.filter(({ delivery, notification }) => {
    const keys = incidentsOf(notification).map(({ id }) => JSON.stringify([delivery.recipient, id]));
    const isFree = keys.length === 0 || keys.some((key) => !waiting.has(key));
    for (const key of keys) waiting.add(key);
    return isFree;
  });
}

/** A wall clock that was set back must not put a delivery off by more than its own delay. */
function isDue({ nextAttemptAt, attempts }: Delivery, now: EpochMs): boolean {
  return now >= nextAttemptAt || nextAttemptAt - now > retryDelay(attempts);
}
