import type { Clock, Millis } from '../core/clock.ts';

/**
 * Notices when this process did not run for a while: a blocked event loop, a paused virtual machine. What a probe measured
 * meanwhile says nothing about its target.
 */
export interface StallWatch {
  /** The longest stall since the last call of this function. */
  take(): Millis;
  stop(): void;
}

const BEAT: Millis = 250;

export function createStallWatch(clock: Clock): StallWatch {
  let longest: Millis = 0;
  let last = clock.elapsed();
  let cancel = beat();

  function lateness(): Millis {
    return Math.max(0, clock.elapsed() - last - BEAT);
  }

  function beat(): () => void {
    return clock.after(BEAT, () => {
      longest = Math.max(longest, lateness());
      last = clock.elapsed();
      cancel = beat();
    });
  }

  return {
    take: () => {
      // A stall that is just over has not been seen by the beat yet.
      const taken = Math.max(longest, lateness());
      longest = 0;
      last = clock.elapsed();
      return taken;
    },
    stop: () => {
      cancel();
    },
  };
}
