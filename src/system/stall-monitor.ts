import type { Clock, Millis } from '../core/clock.ts';
import { isInvalid } from '../core/round.ts';
import { beat, IDLE_BEAT } from './clock.ts';

/**
 * Detects stalls of this process, such as a blocked event loop or a paused virtual machine. Checks four times a second
 * until disposed of, and should therefore be used only during measurements.
 */
interface StallMonitor extends Disposable {
  longest(): Millis;
}

const BEAT: Millis = 250;

export function createStallMonitor(clock: Clock): StallMonitor {
  let longest: Millis = 0;
  let last = clock.elapsed();
  let cancel = beat();

  function beat(): () => void {
    return clock.after(BEAT, () => {
      note();
      last = clock.elapsed();
      cancel = beat();
    });
  }

  function note(): void {
    longest = Math.max(longest, clock.elapsed() - last - BEAT);
  }

  return {
    longest: () => {
      // Checks again, because the timer may not yet have detected a stall that has just ended.
      note();
      return longest;
    },
    [Symbol.dispose]: () => cancel(),
  };
}

/** Returns null if this process stalled in the meantime, because the result is then unreliable. */
export async function discardIfStalled<T>(clock: Clock, query: Promise<T>): Promise<{ readonly seen: T } | null> {
  using stall = createStallMonitor(clock);
  const seen = await query;
  return isInvalid({ stalledMs: stall.longest() }) ? null : { seen };
}

/**
 * Detects all stalls of at least 15 seconds. Shorter stalls matter only during a round, which has its own stall
 * monitor.
 */
export function measureLoopLag(clock: Clock, tell: (lag: Millis) => void): () => void {
  return beat(clock, IDLE_BEAT, (due) => tell(Math.max(0, clock.elapsed() - due)));
}
