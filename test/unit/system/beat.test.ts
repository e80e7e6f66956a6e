import { expect, test } from 'vitest';
import { beat } from '../../../src/system/clock.ts';
import { handClock } from '../../support/time/hand-clock.ts';

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
