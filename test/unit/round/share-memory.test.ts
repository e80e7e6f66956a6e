import { describe, expect, test } from 'vitest';

import type { Connection } from '../../../src/checks/intermittent/connection-share.ts';
import { next, NO_SHARE, sharesOf, type PathShare } from '../../../src/checks/intermittent/path-share.ts';
import { loadRoundMemory, type RoundMemory } from '../../../src/round/memory.ts';
import type { JsonFile } from '../../../src/system/json-file.ts';
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

function connections(pattern: string): readonly Connection[] {
  return Array.from(pattern, (letter) => ({
    address: A,
    fault:
      letter === '.'
        ? null
        : { stage: 'tls-genuine', cause: 'tls-blocked', confidence: 'confirmed', product: null, claim: 'A reset.' },
  }));
}

function looked(own: string, burst: string, before = NO_SHARE): PathShare {
  return next(before, { at: AT, dialled: [A], connections: connections(own), burst: connections(burst) });
}

const HALF = looked('x', '.x.x.x.x.x.x.x.x.x.x');

async function loadShareMemory(file: JsonFile, target: string, now: number): Promise<RoundMemory['share']> {
  return (await loadRoundMemory(target, { shareFile: file }, handClock(now))).share;
}

describe('the share of failing connections', () => {
  test('goes on over a restart where it was', async () => {
    const file = textFile();
    const before = await loadShareMemory(file, TARGET, AT);
    before.note(HALF, AT);
    const after = await loadShareMemory(file, TARGET, AT + MINUTE);
    expect(after.current()).toEqual(HALF);
    expect(sharesOf(after.current()).map(({ pattern }) => pattern)).toEqual(['intermittent']);
  });

  test.each<readonly [string, string, number]>([
    ['another target', 'other.test:443', AT + MINUTE],
    ['a long break', TARGET, AT + 15 * MINUTE],
    ['a clock that was wrong', TARGET, AT - MINUTE],
  ])('begins again after %s', async (_, target, now) => {
    const file = textFile();
    (await loadShareMemory(file, TARGET, AT)).note(HALF, AT);
    expect((await loadShareMemory(file, target, now)).current()).toEqual(NO_SHARE);
  });

  test('begins again with what it did not write', async () => {
    const file = textFile();
    await file.save({ version: 2, target: TARGET, at: AT, share: { addresses: [{}] } });
    expect((await loadShareMemory(file, TARGET, AT)).current()).toEqual(NO_SHARE);
  });

  test('begins again with what an older version wrote, which took outages for an intermittent fault', async () => {
    const file = textFile();
    (await loadShareMemory(file, TARGET, AT)).note(HALF, AT);
    const written: unknown = await file.load();
    await file.save(Object.assign({}, written, { version: 1 }));
    expect((await loadShareMemory(file, TARGET, AT)).current()).toEqual(NO_SHARE);
  });

  test('writes nothing while every connection works, and the end of a fault once', async () => {
    const file = textFile();
    const memory = await loadShareMemory(file, TARGET, AT);
    memory.note(looked('.', ''), AT);
    expect(file.saves).toBe(0);
    memory.note(HALF, AT);
    memory.note(looked('.', ''), AT);
    memory.note(looked('.', ''), AT);
    expect(file.saves).toBe(2);
    expect((await loadShareMemory(file, TARGET, AT)).current().addresses).toEqual([]);
  });
});
