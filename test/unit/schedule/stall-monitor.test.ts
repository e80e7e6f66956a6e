import { expect, test } from 'vitest';

import { createStallMonitor } from '../../../src/schedule/stall-monitor.ts';
import { handClock } from '../../support/hand-clock.ts';

/** A clock whose timers come late for once, as after a blocked event loop. */
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
  const stall = createStallMonitor(clock);
  clock.advance(60_000);
  expect(stall.take()).toBe(0);
});

test('tells the longest stall since the last time', () => {
  const clock = stallingClock();
  const stall = createStallMonitor(clock);
  for (const time of [700, 3_000, 100]) {
    clock.stall(time);
    clock.advance(1_000);
  }
  expect(stall.take()).toBe(3_000);
  clock.advance(1_000);
  expect(stall.take()).toBe(0);
});

test('tells a stall that is just over before any timer came', () => {
  const clock = stallingClock();
  const stall = createStallMonitor(clock);
  clock.advance(1_000);
  clock.stall(2_000);
  expect(stall.take()).toBeGreaterThanOrEqual(1_750);
  clock.advance(1_000);
  expect(stall.take()).toBe(0);
});

test('a stall is told once, even when it is asked for in the middle of it', () => {
  const clock = stallingClock();
  const stall = createStallMonitor(clock);
  clock.stall(2_000);
  stall.take();
  expect(stall.take()).toBe(0);
});

test('leaves no timer behind', () => {
  const clock = stallingClock();
  createStallMonitor(clock).stop();
  expect(clock.timers()).toBe(0);
});

test('wall clock steps are no stalls', () => {
  const clock = stallingClock();
  const stall = createStallMonitor(clock);
  clock.step(3_600_000);
  clock.advance(1_000);
  expect(stall.take()).toBe(0);
});
