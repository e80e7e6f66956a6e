import { setImmediate } from 'node:timers/promises';

import type { Millis } from '../../../src/core/clock.ts';
import { Runner } from '../../../src/system/runner.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { wallTimer } from '../../support/time/wall-timer.ts';

/** A runner on a clock that the test moves. The test ends the runs. */
export interface RunnerBench {
  readonly runner: Runner;
  readonly clock: HandClock;
  /** Start times of the runs, in seconds since the start. */
  readonly starts: readonly number[];
  readonly lags: readonly Millis[];
  readonly errors: readonly unknown[];
  missed(): number;
  /** Number of restarts of the timer. */
  restarts(): number;
  /** The signal of the latest run. */
  signal(): AbortSignal | undefined;
  /** Ends the current run. */
  finish(error?: Error): Promise<void>;
  /** Moves the clock by seconds, and ends each run immediately. */
  pass(seconds: number): Promise<void>;
}

const PERIOD: Millis = 30_000;
const TRIGGER_GAP: Millis = 3_000;

/**
 * Starts 10 s before a scheduled time.
 * @param options.forgetful the timer never fires
 */
export function createRunnerBench({ forgetful = false }: { readonly forgetful?: boolean } = {}): RunnerBench {
  const clock = handClock(Date.UTC(2026, 10, 24, 12, 0, 20));
  const [starts, lags, errors]: [number[], Millis[], unknown[]] = [[], [], []];
  let missed = 0;
  let restarts = 0;
  let run: { readonly signal: AbortSignal; readonly end: (error?: Error) => void } | null = null;
  const runner = new Runner({
    clock,
    timer: (listener) => {
      const timer = wallTimer(clock, PERIOD, forgetful ? { ...listener, onTime: () => undefined } : listener);
      return {
        ...timer,
        restart: () => {
          restarts += 1;
          timer.restart();
        },
      };
    },
    triggerGap: TRIGGER_GAP,
    onError: (error) => errors.push(error),
    onLag: (lag) => lags.push(lag),
    onMissed: () => {
      missed += 1;
    },
    run: (signal) => {
      starts.push(clock.elapsed() / 1000);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      run = {
        signal,
        end: (error) => {
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      return promise;
    },
  });

  async function finish(error?: Error): Promise<void> {
    run?.end(error);
    await setImmediate();
  }

  return {
    runner,
    clock,
    starts,
    lags,
    errors,
    finish,
    missed: () => missed,
    restarts: () => restarts,
    signal: () => run?.signal,
    pass: async (seconds) => {
      for (let second = 0; second < seconds; second += 1) {
        clock.advance(1000);
        await finish();
      }
    },
  };
}
