import { setImmediate } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';

import type { Millis } from '../../../src/core/clock.ts';
import { startApart } from '../../../src/system/start-apart.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';

const NUMBERS = Array.from({ length: 200 }, (_, index) => index);

let clock: HandClock;
let abort: AbortController;

beforeEach(() => {
  clock = handClock(0);
  abort = new AbortController();
});

test('starts one after the other, and gives their results in order', async () => {
  const started: Millis[] = [];
  const end = startApart(NUMBERS, { clock, signal: abort.signal, gap: 8 }, (number) => {
    started.push(clock.elapsed());
    return Promise.resolve(-number);
  });
  while (clock.timers() > 0) {
    clock.advance(1);
    await setImmediate();
  }
  expect(started).toEqual(NUMBERS.map((number) => Math.max(1, number * 8)));
  expect(await end).toEqual(NUMBERS.map((number) => -number));
});

test('starts the rest at once when it is called off, to say so, and waits for nothing any more', async () => {
  const started: number[] = [];
  const end = startApart(NUMBERS, { clock, signal: abort.signal, gap: 8 }, (number) => {
    started.push(number);
    return Promise.resolve(number);
  });
  clock.advance(80);
  await setImmediate();
  expect(started).toHaveLength(11);
  abort.abort(new Error('Stopping'));
  expect(await end).toEqual(NUMBERS);
  expect(clock.timers()).toBe(0);
});

test('hands on what a work throws', async () => {
  const end = startApart([1], { clock, signal: abort.signal, gap: 8 }, () => Promise.reject(new Error('broken')));
  clock.advance(0);
  await expect(end).rejects.toThrow('broken');
});
