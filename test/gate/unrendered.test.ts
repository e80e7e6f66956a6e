import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { grownSince, UNRENDERED, unrenderedIn, unrenderedList } from './unrendered.ts';

const ROOT = resolve(import.meta.dirname, '../..');

test('a file has more exceptions if it has more sentences that are not shown', () => {
  const file = { path: 'src/a.ts', reason: 'no case yet', phrases: ['the cat sat', 'on the mat'] };
  expect(grownSince(unrenderedList([file]), [file])).toEqual([]);
  expect(grownSince(unrenderedList([file]), [{ ...file, phrases: ['the dog sat', 'on the mat'] }])).toEqual([]);
  expect(grownSince(unrenderedList([{ ...file, phrases: ['the cat sat'] }]), [file])).toEqual([file]);
  expect(grownSince('', [file])).toEqual([file]);
});

test('every sentence is in a golden file or in the list of exceptions: run "npm run words"', () => {
  const missing = unrenderedIn(ROOT);
  expect(missing.length).toBeGreaterThan(0);
  expect(unrenderedList(missing).split('\n')).toEqual(readFileSync(join(ROOT, UNRENDERED), 'utf8').split('\n'));
});
