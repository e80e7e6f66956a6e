import type { Clock, EpochMs, Millis } from '../../../src/core/clock.ts';
import type { CronListener, CronTimer } from '../../../src/system/cron-timer.ts';

/**
 * Fires at each multiple of `period` on the wall clock. Like node-cron, it computes its delay from that clock when it
 * is armed.
 */
export function wallTimer(clock: Clock, period: Millis, { onTime }: CronListener): CronTimer {
  let cancel: (() => void) | null = null;

  function next(): EpochMs {
    return (Math.floor(clock.now() / period) + 1) * period;
  }

  function arm(slot: EpochMs): void {
    cancel = clock.after(slot - clock.now(), () => {
      if (clock.now() < slot) {
        arm(slot);
        return;
      }
      arm(next());
      onTime(slot);
    });
  }

  return {
    start: () => {
      arm(next());
    },
    restart: () => {
      cancel?.();
      arm(next());
    },
    stop: () => cancel?.(),
    nextRun: next,
    nextWake: next,
  };
}
