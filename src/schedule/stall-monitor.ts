import type { Clock, Millis } from '../core/clock.ts';
import { isInvalid } from '../core/round.ts';
import { beat } from '../system/clock.ts';

/**
 * Notices when this process did not run for a while: a blocked event loop, a paused virtual machine. What a probe
 * measured meanwhile says nothing about its target. Looks four times a second until it is disposed of: only while
 * something is measured.
 */
export interface StallMonitor extends Disposable {
  /** The longest stall since the beginning. */
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
      // A stall that is just over has not been seen by the beat yet.
      note();
      return longest;
    },
    [Symbol.dispose]: () => cancel(),
  };
}

/** Null: this process stalled meanwhile, so that what it saw says nothing about whom it asked. */
export async function discardIfStalled<T>(clock: Clock, look: Promise<T>): Promise<{ readonly seen: T } | null> {
  using stall = createStallMonitor(clock);
  const seen = await look;
  return isInvalid({ stalledMs: stall.longest() }) ? null : { seen };
}

const LOOK_EVERY: Millis = 1_000;

/** Tells once a second how late this process was when it looked, until the returned function is called. */
export function measureLoopLag(clock: Clock, tell: (lag: Millis) => void): () => void {
  return beat(clock, LOOK_EVERY, (due) => tell(Math.max(0, clock.elapsed() - due)));
}
