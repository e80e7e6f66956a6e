import type { Clock, Millis } from '../core/clock.ts';
import { isInvalid } from '../core/round.ts';
import { beat, IDLE_BEAT } from '../system/clock.ts';

/**
 * Detects when this process did not run for a while, because of a blocked event loop or a paused virtual machine. Probe
 * results from that time prove nothing about their target. The monitor checks four times a second until it is disposed
 * of, so use it only during a measurement.
 */
interface StallMonitor extends Disposable {
  /** Returns the longest stall since the start. */
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
      // The timer has not yet detected a stall that has just ended.
      note();
      return longest;
    },
    [Symbol.dispose]: () => cancel(),
  };
}

/**
 * Returns null if this process stalled in the meantime. In this case, the result proves nothing about the queried
 * system.
 */
export async function discardIfStalled<T>(clock: Clock, look: Promise<T>): Promise<{ readonly seen: T } | null> {
  using stall = createStallMonitor(clock);
  const seen = await look;
  return isInvalid({ stalledMs: stall.longest() }) ? null : { seen };
}

/**
 * Reports every 15 seconds how late this process was, until the returned function is called. This finds every stall of
 * that length. Shorter stalls matter during a round, and its stall monitor finds them.
 */
export function measureLoopLag(clock: Clock, tell: (lag: Millis) => void): () => void {
  return beat(clock, IDLE_BEAT, (due) => tell(Math.max(0, clock.elapsed() - due)));
}
