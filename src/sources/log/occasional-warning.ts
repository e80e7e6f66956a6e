import type { Clock, Millis } from '../../core/clock.ts';
import type { IntakeLogger } from './logger.ts';

const EVERY: Millis = 600_000;

/**
 * Warns of what strangers can make happen at any rate: of the first at once, and of how many there were every ten
 * minutes at most.
 */
export function createOccasionalWarning(
  { clock, logger }: { readonly clock: Clock; readonly logger: IntakeLogger },
  message: string,
): (fields: object) => void {
  let quietUntil: Millis | null = null;
  let times = 0;
  return (fields) => {
    times += 1;
    if (quietUntil !== null && clock.elapsed() < quietUntil) return;
    logger.warn({ ...fields, times }, message);
    quietUntil = clock.elapsed() + EVERY;
    times = 0;
  };
}
