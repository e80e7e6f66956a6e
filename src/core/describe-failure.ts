import { spanText } from './duration.ts';
import type { Failure, FailureReason } from './observation.ts';

/** Where the message says less than the kind of failure and its time; otherwise the message is shown as it is. */
const WORDS: Readonly<Partial<Record<FailureReason, (failure: Failure) => string>>> = {
  timeout: ({ durationMs }) => `no answer within ${spanText(durationMs)}`,
  refused: () => 'connection refused',
  reset: ({ durationMs }) => `reset after ${spanText(durationMs)}`,
  closed: ({ durationMs }) => `closed by the peer after ${spanText(durationMs)}`,
  'no-route': ({ message }) => `no route (${message})`,
  aborted: () => 'called off',
  internal: ({ message }) => `could not be looked at (${message})`,
};

/** What a failure looks like to an administrator: `no answer within 3 s`, `connection refused`, `reset after 12 ms`. */
export function describeFailure(failure: Failure): string {
  return WORDS[failure.reason]?.(failure) ?? failure.message;
}
