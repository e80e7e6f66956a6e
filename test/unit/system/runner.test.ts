import { describe, expect, test } from 'vitest';

import { Runner } from '../../../src/system/runner.ts';
import { IDLE_BEAT } from '../../../src/system/clock.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { HOUR, SECOND } from '../../support/time/units.ts';
import { createRunnerBench, type RunnerBench } from './runner-bench.ts';
import { wallTimer } from '../../support/time/wall-timer.ts';

/** Returns a bench whose runner has just started its first run. */
function started(): RunnerBench {
  const bench = createRunnerBench();
  bench.runner.start();
  return bench;
}

/** Takes one step: times are in seconds. `pass` ends each run immediately, and `advance` ends none. */
async function step(bench: RunnerBench, text: string): Promise<void> {
  const [what = '', seconds = '0'] = text.split(' ');
  switch (what) {
    case 'pass':
      return bench.pass(Number(seconds));
    case 'advance':
      return bench.clock.advance(Number(seconds) * SECOND);
    case 'set':
      return bench.clock.step(Number(seconds) * SECOND);
    case 'finish':
      return bench.finish();
    case 'trigger':
      return bench.runner.trigger();
    default:
      throw new Error(`No step "${text}"`);
  }
}

describe('a runner', () => {
  test.each<readonly [string, string, readonly number[], missed: number, restarts: number]>([
    ['runs at once, then at each time, once', 'pass 75', [0, 10, 40, 70], 0, 0],
    ['makes up for no time that passes during a run', 'advance 75, finish, pass 25', [0, 100], 3, 0],
    ['goes on at once when the clock is set back', 'pass 20, set -3600, pass 60', [0, 10, 40, 70], 0, 1],
    ['runs once what was leapt over', 'pass 15, set 3600, pass 30', [0, 10, 30, 40], 1, 1],
    ['notices that the clock was set before the timer does', 'pass 31, set 3600, pass 9', [0, 10, 39.95], 2, 1],
    ['runs at once when asked a while after the last run', 'pass 5, trigger, pass 1', [0, 5], 0, 0],
    ['keeps the distance from the run before', 'pass 1, trigger, pass 4', [0, 3], 0, 0],
    [
      'runs after the run during which it was asked',
      'advance 9, trigger, advance 0.5, finish, advance 0',
      [0, 9.5],
      0,
      0,
    ],
    ['serves two questions by one run', 'pass 8, trigger, advance 0, finish, trigger, pass 6', [0, 8, 10], 0, 0],
    ['can be asked again afterwards', 'trigger, pass 4, trigger, pass 4', [0, 3, 6], 0, 0],
  ])('%s: %s', async (_, ...[steps, starts, missed, restarts]) => {
    const bench = started();
    for (const text of steps.split(', ')) await step(bench, text);
    expect(bench.starts).toEqual(starts);
    expect([bench.missed(), bench.restarts()]).toEqual([missed, restarts]);
  });
});

describe('a runner on its schedule', () => {
  test('neither doubles nor misses a run in a day', async () => {
    const bench = started();
    await bench.pass(86_400);
    expect(new Set(bench.lags)).toEqual(new Set([0]));
    expect(bench.starts).toHaveLength(1 + 2_880);
    expect(bench.missed()).toBe(0);
  });

  test('goes on after a run that failed', async () => {
    const bench = started();
    const error = new Error('no');
    await bench.finish(error);
    expect(bench.errors).toEqual([error]);
    await bench.pass(10);
    expect(bench.starts).toEqual([0, 10]);
  });

  test('tells when the next run is', () => {
    const bench = createRunnerBench();
    expect(bench.runner.nextRun()).toBeNull();
    bench.runner.start();
    expect(bench.runner.nextRun()).toBe(Date.UTC(2026, 10, 24, 12, 0, 30));
    bench.clock.advance(10_000);
    expect(bench.runner.nextRun()).toBe(Date.UTC(2026, 10, 24, 12, 1));
  });
});

describe('a runner whose wall clock is set', () => {
  test.each([
    ['slewed', -1, [0, 10, 40, 70, 100]],
    ['slewed by chrony as fast as it can', 83, [0, 10, 39, 67, 94]],
  ])('goes on where it is %s: %i ms a second', async (_, step, starts) => {
    const bench = started();
    for (let second = 0; second < 105; second += 1) {
      bench.clock.step(step);
      await bench.pass(1);
    }
    expect([bench.restarts(), bench.missed()]).toEqual([0, 0]);
    expect(bench.starts.map(Math.round)).toEqual(starts);
  });
});

describe('the guard', () => {
  test('starts a run that the timer forgot, and counts it as missed', async () => {
    const bench = createRunnerBench({ forgetful: true });
    bench.runner.start();
    await bench.pass(45);
    expect(bench.starts).toEqual([0, 11.5, 41.5]);
    expect(bench.missed()).toBe(2);
    expect(bench.restarts()).toBe(2);
  });

  test('wakes an idle process only when that wakes anyway', () => {
    const clock = handClock(Date.UTC(2026, 10, 24, 12));
    const woken: number[] = [];
    const runner = new Runner({
      clock: {
        ...clock,
        after: (delay, callback) =>
          clock.after(delay, () => {
            woken.push(clock.elapsed());
            callback();
          }),
      },
      timer: (listener) => wallTimer(clock, HOUR, listener),
      run: () => Promise.resolve(),
      onError: () => undefined,
      onLag: () => undefined,
      onMissed: () => undefined,
      triggerGap: 0,
    });
    runner.start();
    clock.advance(HOUR - 2_000);
    expect(woken).toEqual(Array.from({ length: 239 }, (_, index) => (index + 1) * IDLE_BEAT));
  });
});

describe('a triggered run', () => {
  test('comes once however often it is asked for, before and during a run', async () => {
    const bench = started();
    for (let times = 0; times < 100; times += 1) {
      bench.runner.trigger();
      bench.clock.advance(50);
    }
    expect(bench.starts).toEqual([0]);
    await bench.finish();
    bench.clock.advance(1);
    expect(bench.starts).toEqual([0, 5]);
    await bench.pass(4);
    expect(bench.starts).toEqual([0, 5]);
  });

  test('comes once however often it is asked for between two runs', async () => {
    const bench = started();
    await bench.finish();
    const timers = bench.clock.timers();
    for (let times = 0; times < 100; times += 1) bench.runner.trigger();
    expect(bench.clock.timers()).toBe(timers + 1);
    bench.clock.advance(9_000);
    expect(bench.starts).toEqual([0, 3]);
  });

  test('is asked for without end: ten in five minutes, beside the schedule', async () => {
    const bench = started();
    for (let second = 0; second < 300; second += 1) {
      bench.runner.trigger();
      await bench.pass(1);
    }
    const ofTheSchedule = bench.starts.filter((at) => at % 30 === 10);
    expect(ofTheSchedule).toEqual([10, 40, 70, 100, 130, 160, 190, 220, 250, 280]);
    expect(bench.starts).toHaveLength(1 + ofTheSchedule.length + 10);
    for (let second = 0; second < 10; second += 1) {
      bench.runner.trigger();
      await bench.pass(1);
    }
    expect(bench.starts.at(-1)).toBeGreaterThan(300);
  });
});

describe('the start of a runner', () => {
  test('is the first run, whatever asked for one before', async () => {
    const bench = createRunnerBench();
    bench.runner.trigger();
    bench.clock.advance(1_000);
    expect(bench.starts).toEqual([]);
    bench.runner.start();
    expect(bench.starts).toEqual([1]);
    await bench.pass(8);
    expect(bench.starts).toEqual([1]);
  });

  test('happens once: a second one begins nothing beside the run that is going on', async () => {
    const bench = started();
    const timers = bench.clock.timers();
    bench.runner.start();
    expect(bench.starts).toEqual([0]);
    expect(bench.clock.timers()).toBe(timers);
    await bench.pass(45);
    expect(bench.starts).toEqual([0, 10, 40]);
  });

  test('does not come after the end', async () => {
    const bench = createRunnerBench();
    await bench.runner.stop();
    bench.runner.start();
    expect(bench.starts).toEqual([]);
    expect(bench.clock.timers()).toBe(0);
  });
});

describe('the end of a runner', () => {
  test('aborts the run that is going on and waits for it', async () => {
    const bench = started();
    let stopped = false;
    const stopping = bench.runner.stop().then(() => {
      stopped = true;
    });
    expect(bench.signal()?.aborted).toBe(true);
    await Promise.resolve();
    expect(stopped).toBe(false);
    await bench.finish();
    await stopping;
    expect(stopped).toBe(true);
  });

  test('leaves no timer and no run behind', async () => {
    const bench = started();
    bench.runner.trigger();
    const stopping = bench.runner.stop();
    await bench.finish();
    await stopping;
    bench.runner.trigger();
    expect(bench.clock.timers()).toBe(0);
    expect(bench.runner.nextRun()).toBeNull();
    await bench.pass(120);
    expect(bench.starts).toEqual([0]);
  });

  test('is harmless before the start', async () => {
    const bench = createRunnerBench();
    await bench.runner.stop();
    expect(bench.clock.timers()).toBe(0);
  });
});
