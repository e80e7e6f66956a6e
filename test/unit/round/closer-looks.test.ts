import { expect, test } from 'vitest';
import type { CloserLook } from '../../../src/core/observation.ts';
import { loadRoundMemory, type RoundMemory } from '../../../src/round/memory.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';

const MINUTE = 60_000;
const LOOK: CloserLook = {
  address: '173.243.138.84',
  connects: [],
  stalledMs: 0,
  again: null,
  otherName: null,
  refusable: null,
  controls: [],
};

async function looksWith(clock: HandClock): Promise<RoundMemory['closerLooks']> {
  return (await loadRoundMemory('license.test:443', {}, clock)).closerLooks;
}

test('a look into a block stands for five minutes, for the same block', async () => {
  const clock = handClock(0);
  const looks = await looksWith(clock);
  expect(looks.recent('a cut')).toBeNull();
  looks.keep('a cut', LOOK);
  clock.advance(5 * MINUTE - 1);
  expect(looks.recent('a cut')).toBe(LOOK);
  expect(looks.recent('a silence')).toBeNull();
  clock.advance(1);
  expect(looks.recent('a cut')).toBeNull();
});

test('a clock that is set back makes an old look no newer', async () => {
  const clock = handClock(10 * MINUTE);
  const looks = await looksWith(clock);
  looks.keep('a cut', LOOK);
  clock.step(-5 * MINUTE);
  expect(looks.recent('a cut')).toBeNull();
});
