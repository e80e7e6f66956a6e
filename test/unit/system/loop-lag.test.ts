import { expect, test } from 'vitest';
import { measureLoopLag } from '../../../src/system/stall-monitor.ts';
import { handClock } from '../../support/time/hand-clock.ts';

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
