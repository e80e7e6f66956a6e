import { expect, test } from 'vitest';

import { createStallMonitor } from '../../../src/system/stall-monitor.ts';
import { handClock } from '../../support/time/hand-clock.ts';

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
