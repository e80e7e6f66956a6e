import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { productRuns, quotationsIn, quotationsOf } from './quotations.ts';

const ROOT = resolve(import.meta.dirname, '../..');

describe('quotationsOf()', () => {
  const product = new Set(['the cat sat on', 'cat sat on the', 'sat on the mat']);

  test.each([
    "expect(a).toBe('The cat sat on a chair.');",
    "expect(a).toBe('Then ' + 'the cat ' + 'sat on nothing');",
    'expect(a).toBe(`${who}: the cat sat on ${what}`);',
    'expect(a).toBe(`<p>Cat <b>${name}</b>: the cat sat on</p>`);',
    'expect(a).toMatch(/^The cat sat on .*\\.$/u);',
    "test('says it', () => expect(a).toBe('the cat sat on it'));",
    "const [{ a = 'the cat sat on' }] = b;",
  ])('finds %s', (source) => {
    expect(quotationsOf('test/a.test.ts', `\n${source}`, product)).toEqual(['test/a.test.ts:2: the cat sat on']);
  });

  test.each([
    "expect(a).toBe('The cat sat.');",
    'expect(a).toBe(`The cat ${verb} on the mat`);',
    "expect(a).toBe('The cat {verb} sat on');",
    "test('the cat sat on the mat', () => {});",
    "test.each([1])('the cat sat on %i', () => {});",
    "describe('the cat sat on the mat', () => {});",
    '// the cat sat on the mat',
    "import 'the/cat/sat/on';",
    "throw new Error('the cat sat on');",
  ])('leaves %s', (source) => {
    expect(quotationsOf('test/a.test.ts', source, product)).toEqual([]);
  });
});

test('no test quotes more of the product than is recorded: assert an id, or render the text with its function', () => {
  const recorded = JSON.parse(readFileSync(resolve(import.meta.dirname, 'quotations.json'), 'utf8')) as Readonly<
    Record<string, number>
  >;
  const grown = [...quotationsIn(ROOT, productRuns(ROOT))].filter(
    ([path, { length }]) => length > (recorded[path] ?? 0),
  );
  expect(grown.map(([path, found]) => ({ recorded: `${path}: ${String(recorded[path] ?? 0)}`, found }))).toEqual([]);
});
