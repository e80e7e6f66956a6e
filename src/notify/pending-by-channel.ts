import type { Incident } from '../engine/incident/incident.ts';
import type { OutboxEntry } from '../engine/incident/journal.ts';
import { isGraveEnough } from './by-severity.ts';
import type { MessageChannel, StateChannel } from './channels/channel.ts';
import { byChannel, type ChannelId } from './channels/registry.ts';

export interface Waiting {
  readonly messages: readonly MessageChannel[];
  readonly states: readonly StateChannel[];
  readonly outboxEntries: readonly OutboxEntry[];
  /** What the hourly limit holds back: it waits for each way that it will go. */
  readonly held: readonly Incident[];
}

/**
 * Deliveries that wait, by channel, and what the hourly limit holds back; of a channel that is told a state, the
 * recipients that did not take the last message and have to hear something.
 */
export function pendingByChannel({
  messages,
  states,
  outboxEntries,
  held,
}: Waiting): Readonly<Record<ChannelId, number>> {
  return byChannel((channel) => {
    const waiting = states.filter(({ id }) => id === channel).map((state) => state.waiting());
    const awaitingDigest = messages
      .filter(({ id }) => id === channel)
      .map(({ recipients, minSeverity }) => {
        const wanted = held.filter((incident) => isGraveEnough(incident, minSeverity));
        return wanted.length * recipients.length;
      });
    const undelivered = outboxEntries.filter(({ delivery }) => delivery.channel === channel);
    return [...waiting, ...awaitingDigest].reduce((sum, count) => sum + count, undelivered.length);
  });
}
