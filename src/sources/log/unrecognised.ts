import type { Clock } from '../../core/clock.ts';
import type { IntakeLogger } from './logger.ts';
import { sampleOf } from './sample.ts';
import { SenderTurns } from './strangers.ts';

/**
 * Tells about lines that hold an FTM keyword and match nothing, once for each sender and of 50 within an hour: an
 * envelope or a text that no signature knows. Anyone who fails to log in may put a keyword into a user name.
 */
export interface UnrecognisedLog {
  note(from: string, line: string): void;
}

export function createUnrecognisedLog({
  clock,
  logger,
}: {
  readonly clock: Clock;
  readonly logger: IntakeLogger;
}): UnrecognisedLog {
  const turns = new SenderTurns(clock);
  return {
    note: (from, line) => {
      if (!turns.take(from)) return;
      logger.warn(
        { sender: from, line: sampleOf(line) },
        'a log line seems to be about FortiToken Mobile and matches no signature: if it is an error, add one ' +
          '(logs.signatureFiles)',
      );
    },
  };
}
