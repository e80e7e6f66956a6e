import type { Clock, Millis } from '../core/clock.ts';
import { beat } from '../system/beat.ts';

const LOOK_EVERY: Millis = 1_000;

/** Tells once a second how late this process was when it looked, until the returned function is called. */
export function measureLoopLag(clock: Clock, tell: (lag: Millis) => void): () => void {
  return beat(clock, LOOK_EVERY, (due) => tell(Math.max(0, clock.elapsed() - due)));
}
