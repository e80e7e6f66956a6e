import { describe, expect, test } from 'vitest';
import { beat } from '../../../src/system/clock.ts';
import { createStallMonitor, measureLoopLag } from '../../../src/system/stall-monitor.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { HOUR, MINUTE, SECOND } from '../../support/time/units.ts';

/** Returns a clock whose timers can be late, as after a blocked event loop. */
function stallingClock() {
  const clock = handClock(0);
  let stalled = 0;
  return {
    ...clock,
    elapsed: () => clock.elapsed() + stalled,
    stall: (time: number) => {
      stalled += time;
    },
  };
}

describe('beat()', () => {
  test('beats at whole multiples, whenever it began', () => {
    const clock = handClock(0);
    clock.advance(1_300);
    const seen: string[] = [];
    beat(clock, SECOND, (due) => seen.push(`one ${String(due)}`));
    clock.advance(400);
    beat(clock, 2 * SECOND, () => seen.push(`two ${String(clock.elapsed())}`));
    clock.advance(2_400);
    expect(seen.toSorted()).toEqual(['one 2000', 'one 3000', 'one 4000', 'two 2000', 'two 4000']);
  });

  test('goes on at the next multiple after a beat that came late', () => {
    const clock = stallingClock();
    const seen: string[] = [];
    beat(clock, SECOND, (due) => seen.push(`${String(due)} at ${String(clock.elapsed())}`));
    clock.stall(700.5);
    clock.advance(1_000);
    clock.advance(1_300);
    expect(seen).toEqual(['1000 at 1700.5', '2000 at 2000.5', '3000 at 3000.5']);
  });

  test('ends for good, also from within a beat', () => {
    const clock = handClock(0);
    let times = 0;
    const cancel = beat(clock, SECOND, () => {
      times += 1;
      if (times === 2) cancel();
    });
    clock.advance(10 * SECOND);
    expect([times, clock.timers()]).toEqual([2, 0]);
  });
});

test('measureLoopLag() tells every 15 seconds how late it is, until it is stopped', () => {
  const clock = stallingClock();
  const told: number[] = [];
  const stop = measureLoopLag(clock, (lag) => told.push(lag));
  clock.advance(30 * SECOND);
  clock.stall(700);
  clock.advance(15 * SECOND);
  clock.advance(15 * SECOND);
  stop();
  clock.advance(75 * SECOND);
  expect(told).toEqual([0, 0, 700, 0]);
  expect(clock.timers()).toBe(0);
});

describe('createStallMonitor()', () => {
  test.each<readonly [string, (clock: ReturnType<typeof stallingClock>) => void, number]>([
    ['none while the clock runs on', (clock) => clock.advance(MINUTE), 0],
    ['none in a step of the wall clock', (clock) => clock.step(HOUR), 0],
    [
      'the longest of several stalls',
      (clock) => {
        for (const time of [700, 3_000, 100]) {
          clock.stall(time);
          clock.advance(SECOND);
        }
      },
      3_000,
    ],
  ])('sees %s', (_, run, longest) => {
    const clock = stallingClock();
    // A stall before it began is none of its own.
    clock.stall(2_000);
    using stall = createStallMonitor(clock);
    run(clock);
    clock.advance(SECOND);
    expect(stall.longest()).toBe(longest);
  });

  test('sees a stall that is just over before any timer came', () => {
    const clock = stallingClock();
    using stall = createStallMonitor(clock);
    clock.advance(SECOND);
    clock.stall(2_000);
    expect(stall.longest()).toBeGreaterThanOrEqual(1_750);
  });

  test('leaves no timer behind', () => {
    const clock = stallingClock();
    createStallMonitor(clock)[Symbol.dispose]();
    expect(clock.timers()).toBe(0);
  });
});
