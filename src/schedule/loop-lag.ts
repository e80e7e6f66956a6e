import type { Clock, Millis } from '../core/clock.ts';

const BEAT: Millis = 1_000;

/** Tells once a second how late this process was when it looked, until it is disposed of. */
export function measureLoopLag(clock: Clock, tell: (lag: Millis) => void): Disposable {
  let cancel = beat();

  function beat(): () => void {
    const due = clock.elapsed() + BEAT;
    return clock.after(BEAT, () => {
      tell(Math.max(0, clock.elapsed() - due));
      cancel = beat();
    });
  }

  return { [Symbol.dispose]: () => cancel() };
}
