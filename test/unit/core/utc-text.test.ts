import { expect, test } from 'vitest';
import { utcText } from '../../../src/core/time-text.ts';

test('utcText() is in UTC, wherever the machine stands', () => {
  expect(utcText(Date.parse('2026-11-24T13:00:00Z'))).toBe('2026-11-24 13:00:00 UTC');
});
