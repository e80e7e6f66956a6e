import type { Clock, EpochMs, Millis } from '../core/clock.ts';

/** Tells whether rounds still come to an end as the schedule wants it. */
export interface LivenessTracker {
  /** A round has ended. */
  beat(): void;
  isAlive(): boolean;
}

/** From start to the end of the first round, which may come before any time of the schedule. */
const FIRST_ROUND: Millis = 60_000;
/** A round may fall out, and another one be late, before something is wrong. */
const SPARE_PERIODS = 2;

/**
 * Alive until the round that is planned next and two more have failed to end. Measured on the monotonic clock: a wall
 * clock that is set changes nothing. A schedule with long pauses (office hours) stays alive through them.
 * @param nextRun when the next round is planned; null: never
 * @param longest what a round may take
 */
export function createLivenessTracker(clock: Clock, nextRun: () => EpochMs | null, longest: Millis): LivenessTracker {
  let aliveUntil: Millis = clock.elapsed() + FIRST_ROUND;
  let planned: EpochMs | null = null;
  let period: Millis | null = null;
  return {
    beat: () => {
      const next = nextRun();
      if (next === null) {
        aliveUntil = Number.POSITIVE_INFINITY;
        return;
      }
      // A round that was asked for ends within a period: the plan is the same as before.
      if (planned !== null && next > planned) period = next - planned;
      planned = next;
      const wait = Math.max(0, next - clock.now());
      aliveUntil = clock.elapsed() + wait + SPARE_PERIODS * (period ?? wait) + longest;
    },
    isAlive: () => clock.elapsed() < aliveUntil,
  };
}
