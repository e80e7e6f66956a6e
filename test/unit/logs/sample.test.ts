import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sampleOf } from '../../../src/logs/senders.ts';

describe('sampleOf', () => {
  test.each([
    {
      name: 'an ordinary line',
      line: 'FTM polling error: SSL session failed',
      sample: 'FTM polling error: SSL session failed',
    },
    { name: 'terminal sequences', line: 'a\x1b[2Jb\x07', sample: 'a\u{FFFD}[2Jb\u{FFFD}' },
    { name: 'line breaks', line: 'a\r\nb', sample: 'a\u{FFFD}\u{FFFD}b' },
    { name: 'text that runs backwards', line: 'a\u{202E}b\u{2028}c', sample: 'a\u{FFFD}b\u{FFFD}c' },
    { name: 'an activation code', line: 'code 0A1B-2C3D-4E5F-6071-8293 sent', sample: 'code <code> sent' },
    { name: 'half a surrogate pair', line: 'a\u{D800}b', sample: 'a\u{FFFD}b' },
  ])('makes $name fit for people', ({ line, sample }) => {
    expect(sampleOf(line)).toBe(sample);
  });

  test.each([1022, 1023, 3998, 3999])('has no half character where it is cut, after %i', (length) => {
    // Masking shortens the line, so either of the two cuts can be the final one.
    for (const head of ['', 'code 0A1B-2C3D-4E5F-6071-8293 '.repeat(200)])
      expect(sampleOf(`${head}${'a'.repeat(length - 1)}${'𝕏'.repeat(3000)}`)).not.toMatch(/\p{Cs}/u);
  });

  test('is short and holds nothing that acts, whatever the line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3000 }), (line) => {
        const sample = sampleOf(line);
        expect(sample.length).toBeLessThanOrEqual(1024 + 10);
        expect(sample).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      }),
    );
  });
});
