import type { IntakeLogger } from './logger.ts';
import { sampleOf } from './sample.ts';

/**
 * Tells about lines that hold an FTM keyword and match nothing, once for each sender: an envelope or a text that no
 * signature knows.
 */
export interface UnrecognisedLog {
  note(from: string, line: string): void;
}

/** Anyone who fails to log in may put a keyword into a user name; the log must not grow with that. */
const MAX_TOLD = 50;

export function createUnrecognisedLog(logger: IntakeLogger): UnrecognisedLog {
  const told = new Set<string>();
  return {
    note: (from, line) => {
      if (told.size >= MAX_TOLD || told.has(from)) return;
      told.add(from);
      logger.warn(
        { sender: from, line: sampleOf(line) },
        'a log line seems to be about FortiToken Mobile and matches no signature: if it is an error, add one ' +
          '(logs.signatureFiles)',
      );
    },
  };
}
