import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';

import type { Clock, Millis } from '../../../src/core/clock.ts';
import { createPace, paceTime, type PaceOptions } from '../../../src/schedule/pace.ts';
import { handClock, type HandClock } from '../../support/hand-clock.ts';

const OPTIONS: PaceOptions = { atOnce: 16, gap: 8, underWay: 256 };

let clock: HandClock;
let abort: AbortController;

beforeEach(() => {
  clock = handClock(0);
  abort = new AbortController();
});

/** When each of `count` began, on a clock that is moved on by a millisecond at a time. */
async function beginnings(
  count: number,
  options: PaceOptions,
  work: () => Promise<void> = () => Promise.resolve(),
): Promise<Millis[]> {
  const begun: Millis[] = [];
  const pace = createPace(clock, options);
  for (let index = 0; index < count; index += 1) {
    void pace.begin(() => {
      begun.push(clock.elapsed());
      return work();
    }, abort.signal);
  }
  await setImmediate();
  while (clock.timers() > 0) {
    clock.advance(1);
    await setImmediate();
  }
  return begun;
}

describe('createPace()', () => {
  test('begins a handful at once', async () => {
    expect(await beginnings(16, OPTIONS)).toEqual(Array.from({ length: 16 }, () => 0));
  });

  test('begins a thousand one by one, in the time that it says', async () => {
    const begun = await beginnings(1_000, OPTIONS);
    expect(begun.slice(0, 16)).toEqual(Array.from({ length: 16 }, () => 0));
    expect(begun.slice(16)).toEqual(Array.from({ length: 984 }, (_, index) => (index + 1) * 8));
    expect(begun.at(-1)).toBe(paceTime(OPTIONS, 1_000));
  });

  test('has no more under way than it may, and goes on as soon as one has ended', async () => {
    const ends: (() => void)[] = [];
    const work = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
    const begun = await beginnings(30, { atOnce: 4, gap: 1, underWay: 10 }, work);
    expect(begun).toHaveLength(10);
    ends.shift()?.();
    await setImmediate();
    clock.advance(1);
    await setImmediate();
    expect(begun).toHaveLength(11);
  });

  test('comes one by one after a stall too', async () => {
    let now = 0;
    const timers: (() => void)[] = [];
    const after: Clock['after'] = (_delay, callback) => {
      timers.push(callback);
      return () => undefined;
    };
    const late: Clock = { now: () => now, elapsed: () => now, after };
    const begun: Millis[] = [];
    const pace = createPace(late, { ...OPTIONS, atOnce: 1 });
    const work = (): Promise<void> => Promise.resolve(void begun.push(now));
    for (let index = 0; index < 50; index += 1) void pace.begin(work, abort.signal);
    await setImmediate();
    now = 1_000;
    timers.shift()?.();
    await setImmediate();
    timers.shift()?.();
    await setImmediate();
    expect(begun).toEqual([0, 1_000]);
  });

  test('lets all of them begin when it is called off, to say so, and waits for nothing any more', async () => {
    const pace = createPace(clock, OPTIONS);
    const ends = Array.from({ length: 100 }, (_, index) => pace.begin(() => Promise.resolve(index), abort.signal));
    abort.abort(new Error('Stopping'));
    expect(await Promise.all(ends)).toHaveLength(100);
    clock.advance(8);
    expect(clock.timers()).toBe(0);
    expect(await pace.begin(() => Promise.resolve('late'), abort.signal)).toBe('late');
  });

  test('hands on what a work throws', async () => {
    const pace = createPace(clock, { ...OPTIONS, atOnce: 1, underWay: 1 });
    await expect(pace.begin(() => Promise.reject(new Error('broken')), abort.signal)).rejects.toThrow('broken');
    clock.advance(8);
    expect(await pace.begin(() => Promise.resolve('next'), abort.signal)).toBe('next');
  });
});
