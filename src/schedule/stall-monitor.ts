import type { Clock, Millis } from '../core/clock.ts';

/**
 * Notices when this process did not run for a while: a blocked event loop, a paused virtual machine. What a probe
 * measured meanwhile says nothing about its target.
 */
export interface StallMonitor {
  /** The longest stall since the last call of this function. */
  take(): Millis;
  stop(): void;
}

const BEAT: Millis = 250;

/** @param onBeat told how late each look was, four times a second */
export function createStallMonitor(clock: Clock, onBeat: (lateness: Millis) => void = () => undefined): StallMonitor {
  let longest: Millis = 0;
  let last = clock.elapsed();
  let cancel = beat();

  function lateness(): Millis {
    return Math.max(0, clock.elapsed() - last - BEAT);
  }

  function beat(): () => void {
    return clock.after(BEAT, () => {
      const late = lateness();
      longest = Math.max(longest, late);
      last = clock.elapsed();
      cancel = beat();
      onBeat(late);
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
    stop: () => cancel(),
  };
}
