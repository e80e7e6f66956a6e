import type { IncidentState } from '../engine/incident/incident.ts';
import type { RecipientOutcome, StateChannel } from './channels/channel.ts';
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
      for (const outcome of await attempt(channel, state(), signal)) note(outcome);
    });
    return last;
  };
}

/** A channel that breaks its promise never to throw takes neither the others nor the process with it. */
async function attempt(
  channel: StateChannel,
  state: IncidentState,
  signal: AbortSignal,
): Promise<readonly RecipientOutcome[]> {
  try {
    return await channel.publish(state, signal);
  } catch (error) {
    return [
      { recipient: channel.id, kind: 'deferred', detail: error instanceof Error ? error.message : 'unknown error' },
    ];
  }
}
