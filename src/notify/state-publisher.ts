import type { IncidentState } from '../engine/incident/incident.ts';
import { orDeferred, type RecipientOutcome, type StateChannel } from './channels/channel.ts';
import { channelWords } from './channels/registry.ts';
import type { OutboxDeps } from './outbox.ts';

/**
 * Keeps the recipients of one channel at what is true. One message at a time: what happens meanwhile goes out right
 * after it, as the state is then.
 */
export type StatePublisher = (state: () => IncidentState, signal: AbortSignal) => Promise<void>;

export function createStatePublisher(channel: StateChannel, deps: Omit<OutboxDeps, 'journal'>): StatePublisher {
  const { name } = channelWords(channel.id);
  /** Recipients, so that the log tells once that one fails. */
  const failing = new Set<string>();
  let last = Promise.resolve();

  function note({ recipient, kind, detail }: RecipientOutcome): void {
    const { logger, onDelivery, clock } = deps;
    const isSent = kind === 'sent';
    if (!isSent && !failing.has(recipient))
      logger.warn({ url: recipient, detail }, `${name} does not take alerts: it is tried again`);
    if (isSent && failing.has(recipient)) logger.info({ url: recipient }, `${name} takes alerts again`);
    if (isSent) failing.delete(recipient);
    else failing.add(recipient);
    onDelivery(channel.id, isSent ? 'sent' : 'failed', clock.now());
  }

  return (state, signal) => {
    last = last.then(async () => {
      const outcomes = await orDeferred([channel.id], () => channel.publish(state(), signal));
      for (const outcome of outcomes) note(outcome);
    });
    return last;
  };
}
