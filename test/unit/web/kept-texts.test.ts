import { expect, test } from 'vitest';
import { createKeptTexts } from '../../../src/web/kept-texts.ts';

/** Records the order in which texts are made. Each is finished by `finish`. */
function bench() {
  let version = {};
  const made: string[] = [];
  const finishers: (() => void)[] = [];
  const kept = createKeptTexts({ incidentsVersion: () => version });
  return {
    made,
    change: () => {
      version = {};
    },
    finish: async () => {
      finishers.shift()?.();
      await new Promise(setImmediate);
    },
    ask: async (key: string) => {
      const text = kept(key, () => {
        made.push(key);
        return new Promise((resolve) => finishers.push(() => resolve(`${key} ${String(made.length)}`)));
      });
      await new Promise(setImmediate);
      return { text };
    },
  };
}

test('makes one text at a time, and one text for all who ask for the same', async () => {
  const { made, ask, finish } = bench();
  const [one, same, other] = [await ask('a'), await ask('a'), await ask('b')];
  expect(made).toEqual(['a']);
  await finish();
  expect(made).toEqual(['a', 'b']);
  await finish();
  expect([await one.text, await same.text, await other.text]).toEqual(['a 1', 'a 1', 'b 2']);
});

test('keeps the latest four texts until an incident changes', async () => {
  const { made, change, ask, finish } = bench();
  for (const key of ['a', 'b', 'c', 'd', 'a', 'e', 'b', 'a']) {
    await ask(key);
    await finish();
  }
  expect(made.join('')).toBe('abcdea');
  change();
  await ask('a');
  expect(made.join('')).toBe('abcdeaa');
});

test('refuses more than 16 different texts at once, and accepts more when one is finished', async () => {
  const { ask, finish } = bench();
  for (let index = 0; index < 16; index += 1) expect((await ask(String(index))).text).not.toBeNull();
  expect((await ask('one more')).text).toBeNull();
  await finish();
  expect((await ask('one more')).text).not.toBeNull();
});
