import type { Clock, EpochMs, Millis } from '../../../src/core/clock.ts';

/** A clock that stands still until the test moves it. */
export interface HandClock extends Clock {
  /** Advances both clocks, and runs the timers that are due, in order. */
  advance(time: Millis): void;
  /** Moves only the wall clock, as NTP does. */
  step(time: Millis): void;
  /** Time until the next timer is due. */
  untilNext(): Millis;
  /** Number of timers that are neither due nor cancelled. */
  timers(): number;
}

export function handClock(start: EpochMs): HandClock {
  const timers = new Set<{ readonly at: Millis; readonly callback: () => void }>();
  let wall = start;
  let elapsed = 0;
  return {
    now: () => wall,
    elapsed: () => elapsed,
    after(delay, callback) {
      const timer = { at: elapsed + Math.max(0, delay), callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(time) {
      const end = elapsed + time;
      for (;;) {
        const [due] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (due === undefined) break;
        timers.delete(due);
        wall += due.at - elapsed;
        elapsed = due.at;
        due.callback();
      }
      wall += end - elapsed;
      elapsed = end;
    },
    step(time) {
      wall += time;
    },
    untilNext: () => Math.min(...[...timers].map(({ at }) => at)) - elapsed,
    timers: () => timers.size,
  };
}
