import type { Clock } from '../../core/clock.ts';
import type { IntakeLogger } from './logger.ts';
import { createOccasionalWarning } from './occasional-warning.ts';

/** Tells why connections were closed, or did not come about: each reason once in a while, with one sender of many. */
export interface ConnectionWarnings {
  readonly onStuck: (address: string) => void;
  readonly onOverBudget: (address: string) => void;
  readonly onOverLimit: () => void;
  readonly onFailedHandshake: (address: string, error: Error) => void;
}

export function createConnectionWarnings(deps: {
  readonly clock: Clock;
  readonly logger: IntakeLogger;
}): ConnectionWarnings {
  const stuck = createOccasionalWarning(
    deps,
    'syslog senders did not end their line in time: their connections are closed',
  );
  const overBudget = createOccasionalWarning(
    deps,
    'syslog senders began more lines than they ended, and hold too much memory: the connections with the oldest are ' +
      'closed, those of strangers first',
  );
  const overLimit = createOccasionalWarning(
    deps,
    'too many syslog senders are connected: the quietest connections are closed, those of strangers first',
  );
  const failedHandshake = createOccasionalWarning(deps, 'syslog senders failed the TLS handshake');
  return {
    onStuck: (address) => stuck({ address }),
    onOverBudget: (address) => overBudget({ address }),
    onOverLimit: () => overLimit({}),
    onFailedHandshake: (address, error) => failedHandshake({ address, err: error }),
  };
}
