import { describe, expect, it } from 'vitest';
import { parseCron } from '../../../src/core/cron.ts';

describe('parseCron', () => {
  it.each([
    '',
    '* * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * foo *',
    '* * * * 8',
    '5-1 * * * *',
    '*/0 * * * *',
    '1,,2 * * * *',
    '30 * * * * *',
  ])('refuses "%s"', (text) => {
    expect(() => parseCron(text)).toThrow(RangeError);
  });

  it('names the field, the value and what was expected', () => {
    expect(() => parseCron('0 25 * * *')).toThrow(
      'Cannot read the hour of the cron expression "0 25 * * *": expected values from 0 to 23, got "25"',
    );
  });
});
