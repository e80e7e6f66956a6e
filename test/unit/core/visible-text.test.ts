import { describe, expect, test } from 'vitest';
import { visibleText } from '../../../src/core/visible-text.ts';

describe('visibleText()', () => {
  test.each([
    ['plain', 20, 'plain'],
    ['\u001b[2J', 20, '\\u{1B}[2J'],
    ['a\u202eb\u200bc', 40, 'a\\u{202E}b\\u{200B}c'],
    ['line\r\nbreak', 40, 'line\\u{D}\\u{A}break'],
    ['\ud800', 20, '\\u{D800}'],
    ['abcdef', 4, 'abc…'],
    ['ab😀def', 4, 'ab…'],
    ['ab😀def', 5, 'ab😀…'],
  ])('shows %j within %d as %s', (text, limit, expected) => {
    expect(visibleText(text, limit)).toBe(expected);
  });
});
