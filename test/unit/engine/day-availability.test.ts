import { describe, expect, test } from 'vitest';
import { availabilityByDay } from '../../../src/engine/availability.ts';

const DAY = 86_400_000;
const HOUR = DAY / 24;

function on(day: number, precondition: string, state: string, hours: number) {
  return { precondition, state, from: day * DAY, until: day * DAY + hours * HOUR };
}

describe('availabilityByDay()', () => {
  test.each([
    ['a day without trouble', [on(1, 'mail', 'ok', 20), on(1, 'mail', 'warning', 4)], [{ day: DAY, share: 1 }]],
    ['broken for six hours', [on(1, 'mail', 'ok', 18), on(1, 'mail', 'broken', 6)], [{ day: DAY, share: 0.75 }]],
    [
      'blocked counts as broken',
      [on(1, 'polling', 'ok', 12), on(1, 'polling', 'blocked', 12)],
      [{ day: DAY, share: 0.5 }],
    ],
    [
      'the precondition that was broken for longest decides',
      [on(1, 'mail', 'ok', 24), on(1, 'polling', 'ok', 6), on(1, 'polling', 'broken', 18)],
      [{ day: DAY, share: 0.25 }],
    ],
    [
      'what is unknown counts neither way',
      [on(1, 'mail', 'ok', 6), on(1, 'mail', 'unknown', 18)],
      [{ day: DAY, share: 1 }],
    ],
    [
      'a day of which nothing is known is left out',
      [on(1, 'mail', 'not-configured', 24), on(1, 'clock', 'unknown', 24)],
      [],
    ],
    [
      'a state that continues into the next day counts in both',
      [on(1, 'mail', 'ok', 12), { ...on(1, 'mail', 'broken', 30), from: 1.5 * DAY }, on(3, 'mail', 'ok', 1)],
      [
        { day: DAY, share: 0.5 },
        { day: 2 * DAY, share: 0 },
        { day: 3 * DAY, share: 1 },
      ],
    ],
    [
      'days in order',
      [on(2, 'mail', 'ok', 1), on(1, 'mail', 'broken', 1)],
      [
        { day: DAY, share: 0 },
        { day: 2 * DAY, share: 1 },
      ],
    ],
  ])('%s', (_name, states, expected) => {
    expect(availabilityByDay(states, { from: 0, span: DAY })).toEqual(expected);
  });

  test('leaves out the time before', () => {
    const states = [on(1, 'mail', 'broken', 12), { ...on(1, 'mail', 'ok', 24), from: 1.5 * DAY }];
    expect(availabilityByDay(states, { from: 1.25 * DAY, span: DAY })).toEqual([{ day: DAY, share: 2 / 3 }]);
  });
});
