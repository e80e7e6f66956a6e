import { expect, test } from 'vitest';
import { beat } from '../../../src/system/clock.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { createStallMonitor, measureLoopLag } from '../../../src/system/stall-monitor.ts';

test('beats at whole multiples, whenever it began', () => {
  const clock = handClock(0);
  clock.advance(1_300);
  const seen: (readonly [string, number])[] = [];
  beat(clock, 1_000, (due) => seen.push(['one', due]));
  clock.advance(400);
  beat(clock, 2_000, () => seen.push(['two', clock.elapsed()]));
  clock.advance(2_400);
  expect(seen.toSorted(([, left], [, right]) => left - right)).toEqual([
    ['one', 2_000],
    ['two', 2_000],
    ['one', 3_000],
    ['two', 4_000],
    ['one', 4_000],
  ]);
});

test('goes on at the next multiple after a beat that came late', () => {
  const hand = handClock(0);
  let late = 0;
  const clock = { ...hand, elapsed: () => hand.elapsed() + late };
  const seen: (readonly [due: number, at: number])[] = [];
  beat(clock, 1_000, (due) => seen.push([due, clock.elapsed()]));
  late = 700.6;
  hand.advance(1_000);
  hand.advance(1_300);
  expect(seen).toEqual([
    [1_000, 1_700.6],
    [2_000, 2_000.6],
    [3_000, 3_000.6],
  ]);
});

test('ends for good, also from within a beat', () => {
  const clock = handClock(0);
  let times = 0;
  const cancel = beat(clock, 1_000, () => {
    times += 1;
    if (times === 2) cancel();
  });
  clock.advance(10_000);
  expect([times, clock.timers()]).toEqual([2, 0]);
});

test('tells every 15 seconds how late it is, until it is stopped', () => {
  const hand = handClock(0);
  let late = 0;
  const clock = { ...hand, elapsed: () => hand.elapsed() + late };
  const told: number[] = [];
  const stop = measureLoopLag(clock, (lag) => told.push(lag));
  hand.advance(30_000);
  late = 700;
  hand.advance(15_000);
  hand.advance(15_000);
  stop();
  hand.advance(75_000);
  expect(told).toEqual([0, 0, 700, 0]);
  expect(hand.timers()).toBe(0);
});

/** Returns a clock whose timers can be late once, as after a blocked event loop. */
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

test('sees none while the clock runs on', () => {
  const clock = stallingClock();
  using stall = createStallMonitor(clock);
  clock.advance(60_000);
  expect(stall.longest()).toBe(0);
});

test('tells the longest of several stalls', () => {
  const clock = stallingClock();
  using stall = createStallMonitor(clock);
  for (const time of [700, 3_000, 100]) {
    clock.stall(time);
    clock.advance(1_000);
  }
  expect(stall.longest()).toBe(3_000);
});

test('tells a stall that is just over before any timer came', () => {
  const clock = stallingClock();
  using stall = createStallMonitor(clock);
  clock.advance(1_000);
  clock.stall(2_000);
  expect(stall.longest()).toBeGreaterThanOrEqual(1_750);
});

test('a stall before it began is none of its own', () => {
  const clock = stallingClock();
  clock.stall(2_000);
  using stall = createStallMonitor(clock);
  clock.advance(1_000);
  expect(stall.longest()).toBe(0);
});

test('leaves no timer behind', () => {
  const clock = stallingClock();
  createStallMonitor(clock)[Symbol.dispose]();
  expect(clock.timers()).toBe(0);
});

test('wall clock steps are no stalls', () => {
  const clock = stallingClock();
  using stall = createStallMonitor(clock);
  clock.step(3_600_000);
  clock.advance(1_000);
  expect(stall.longest()).toBe(0);
});
