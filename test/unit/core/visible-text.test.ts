import { describe, expect, test } from 'vitest';
import { counted, cutToBytes, nameList, visibleText, withoutSecrets } from '../../../src/core/visible-text.ts';

test.each([
  ['plain', 20, 'plain'],
  ['\u001b[2J', 20, '\\u{1B}[2J'],
  ['a\u202eb\u200bc', 40, 'a\\u{202E}b\\u{200B}c'],
  ['line\r\nbreak', 40, 'line\\u{D}\\u{A}break'],
  ['\ud800', 20, '\\u{D800}'],
  ['abcdef', 4, 'abc…'],
  ['ab😀def', 4, 'ab…'],
  ['ab😀def', 5, 'ab😀…'],
])('visibleText() shows %j within %d as %s', (text, limit, expected) => {
  expect(visibleText(text, limit)).toBe(expected);
});

test.each([
  ['abcdef', 6, 'abcdef'],
  ['abcdefg', 6, 'abc'],
  ['a€€€', 10, 'a€€€'],
  ['a€€€', 9, 'a€'],
  ['😀😀', 7, '😀'],
  ['😀😀', 6, ''],
])('cutToBytes(%j, %i) is %j', (text, bytes, cut) => {
  expect(cutToBytes(text, bytes)).toBe(cut);
});

test.each([
  [0, '0 days'],
  [1, '1 day'],
  [2, '2 days'],
])('counted() says %i as "%s"', (count, text) => {
  expect(counted(count, 'day')).toBe(text);
});

test.each([
  [0, ''],
  [2, 'fac-1, fac-2'],
  [8, 'fac-1, fac-2, fac-3, fac-4, fac-5, fac-6, fac-7, fac-8'],
  [9, 'fac-1, fac-2, fac-3, fac-4, fac-5, fac-6, fac-7 and 2 more'],
  [1_000, 'fac-1, fac-2, fac-3, fac-4, fac-5, fac-6, fac-7 and 993 more'],
])('nameList() of %i names', (count, text) => {
  expect(nameList(Array.from({ length: count }, (_, index) => `fac-${String(index + 1)}`))).toBe(text);
});

describe('withoutSecrets()', () => {
  const PATTERN = '(.*)+[x]$^|\\d{2}?/-,';

  test.each([
    ['as it is', 'bad login: p"/+ä', ['p"/+ä'], 'bad login: ‹secret›'],
    ['more than once', 'x x', ['x'], '‹secret› ‹secret›'],
    ['in base64', 'AUTH cCIvK8Ok=', ['p"/+ä'], 'AUTH ‹secret›='],
    ['with its padding', 'b3BzOnNlY3JldDE=', ['ops:secret1'], '‹secret›'],
    ['in a URL', '/?key=p%22%2F%2B%C3%A4', ['p"/+ä'], '/?key=‹secret›'],
    ['in JSON', '{"password":"p\\"/+ä"}', ['p"/+ä'], '{"password":"‹secret›"}'],
    ['in bytes', 'p"/+\u00c3\u00a4', ['p"/+ä'], '‹secret›'],
    ['within a longer one', 'ops:secret1', ['secret1', 'ops:secret1'], '‹secret›'],
    ['made of what means something in a pattern', `a ${PATTERN} b`, [PATTERN], 'a ‹secret› b'],
    ['not at all', 'fine', ['', 'secret1'], 'fine'],
  ])('%s', (_, text, secrets, expected) => {
    expect(withoutSecrets(text, secrets)).toBe(expected);
  });
});
