import type { Clock, Millis } from '../core/clock.ts';
import type { RecipientOutcome } from './channels/channel.ts';

/** An alert must not wait for longer than this because a service says so. */
const LONGEST: Millis = 15 * 60_000;

/** Recipients that asked for a pause (`Retry-After`): until it is over, nothing is sent there, whatever it tells. */
export interface RecipientPauses {
  note(channel: string, outcomes: readonly RecipientOutcome[]): void;
  isPaused(channel: string, recipient: string): boolean;
}

export function createRecipientPauses(clock: Pick<Clock, 'elapsed'>): RecipientPauses {
  const ends = new Map<string, Millis>();
  const keyOf = (channel: string, recipient: string): string => JSON.stringify([channel, recipient]);
  return {
    note(channel, outcomes) {
      for (const { recipient, retryAfter } of outcomes) {
        if (retryAfter === undefined) ends.delete(keyOf(channel, recipient));
        else ends.set(keyOf(channel, recipient), clock.elapsed() + pauseOf(retryAfter));
      }
    },
    isPaused: (channel, recipient) => clock.elapsed() < (ends.get(keyOf(channel, recipient)) ?? 0),
  };
}

/** As long as was asked for, within bounds. */
export function pauseOf(retryAfter: Millis): Millis {
  return Math.min(LONGEST, retryAfter);
}
