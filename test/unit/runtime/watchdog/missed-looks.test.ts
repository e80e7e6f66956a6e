import { describe, expect, test } from 'vitest';
import { afterLook, LOOK_EVERY, MOST_MISSED, type Watched } from '../../../../src/runtime/watchdog/missed-looks.ts';

type Look = Parameters<typeof afterLook>[1];

function missedAfter(looks: readonly Look[]): number {
  let watched: Watched = { beats: 0, missed: 0 };
  for (const look of looks) watched = afterLook(watched, look);
  return watched.missed;
}

const onTime = (beats: number): Look => ({ beats, after: LOOK_EVERY + 3 });
const silent = (times: number): readonly Look[] => Array.from({ length: times }, () => onTime(0));

describe('afterLook()', () => {
  test('counts the looks that find no beat: 12 of them are a minute', () => {
    expect(missedAfter(silent(MOST_MISSED))).toBe(MOST_MISSED);
    expect(MOST_MISSED * LOOK_EVERY).toBe(60_000);
  });

  test('begins again with every beat, also when the counter has gone round', () => {
    expect(missedAfter([...silent(11), onTime(1)])).toBe(0);
    expect(missedAfter([onTime(2 ** 31 - 1), onTime(2 ** 31 - 1), onTime(-(2 ** 31))])).toBe(0);
  });

  test.each([
    ['slept for a night', [...silent(11), { beats: 0, after: 8 * 3_600_000 }]],
    ['was stopped for so long that a look was missed', [...silent(11), { beats: 0, after: 2 * LOOK_EVERY }]],
    ['is stopped again and again', Array.from({ length: 100 }, () => ({ beats: 0, after: 3 * LOOK_EVERY }))],
  ])('does not blame the loop when the whole process %s', (_, looks) => {
    expect(missedAfter(looks)).toBe(0);
  });

  test('blames it when it does not go on afterwards', () => {
    expect(missedAfter([{ beats: 0, after: 3_600_000 }, ...silent(MOST_MISSED)])).toBe(MOST_MISSED);
  });
});
