import { describe, expect, test } from 'vitest';

import { NO_SAMPLES } from '../../../src/checks/intermittent/sampling.ts';
import { loadRoundMemory, type RoundMemory } from '../../../src/round/memory.ts';
import type { JsonFile } from '../../../src/system/json-file.ts';
import { sampled } from '../../support/checks/sampled.ts';
import { handClock } from '../../support/time/hand-clock.ts';

const A = '173.243.138.84';
const TARGET = 'fortitokenmobile.fortinet.com:443';
const AT = Date.UTC(2026, 10, 24, 13);
const MINUTE = 60_000;

/** Returns a file that keeps the saved value as text. */
function textFile(): JsonFile & { saves: number } {
  let kept = 'null';
  const file = {
    saves: 0,
    load: () => Promise.resolve<unknown>(JSON.parse(kept)),
    save: (value: unknown) => {
      kept = JSON.stringify(value);
      file.saves += 1;
      return Promise.resolve();
    },
  };
  return file;
}

const HALF = sampled({ [A]: 'x' }, { [A]: '.x.x.x.x.x.x.x.x.x.x' });
const WORKS = sampled({ [A]: '.' }, null);

async function loadSampling(file: JsonFile, target: string, now: number): Promise<RoundMemory['sampling']> {
  return (await loadRoundMemory(target, { samplingFile: file }, handClock(now))).sampling;
}

describe('what the connections have shown', () => {
  test('goes on over a restart where it was', async () => {
    const file = textFile();
    const before = await loadSampling(file, TARGET, AT);
    before.note(HALF);
    const after = await loadSampling(file, TARGET, AT + MINUTE);
    expect(after.current()).toEqual(HALF);
    expect(after.current().kind).toBe('intermittent');
  });

  test.each<readonly [string, string, number]>([
    ['another target', 'other.test:443', AT + MINUTE],
    ['a long break', TARGET, AT + 15 * MINUTE],
    ['a clock that was wrong', TARGET, AT - MINUTE],
  ])('begins again after %s', async (_, target, now) => {
    const file = textFile();
    (await loadSampling(file, TARGET, AT)).note(HALF);
    expect((await loadSampling(file, target, now)).current()).toEqual(NO_SAMPLES);
  });

  test('begins again with what it did not write', async () => {
    const file = textFile();
    await file.save({ version: 3, target: TARGET, sampling: { addresses: [{}] } });
    expect((await loadSampling(file, TARGET, AT)).current()).toEqual(NO_SAMPLES);
  });

  test('begins again with what an older version wrote, in another format', async () => {
    const file = textFile();
    (await loadSampling(file, TARGET, AT)).note(HALF);
    const written: unknown = await file.load();
    await file.save(Object.assign({}, written, { version: 2 }));
    expect((await loadSampling(file, TARGET, AT)).current()).toEqual(NO_SAMPLES);
  });

  test('writes nothing while every connection works, and the end of a fault once', async () => {
    const file = textFile();
    const memory = await loadSampling(file, TARGET, AT);
    memory.note(WORKS);
    expect(file.saves).toBe(0);
    memory.note(HALF);
    memory.note(WORKS);
    memory.note(WORKS);
    expect(file.saves).toBe(2);
    expect((await loadSampling(file, TARGET, AT)).current().bursts).toEqual([]);
  });
});
