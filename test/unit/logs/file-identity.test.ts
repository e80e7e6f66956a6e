import { describe, expect, test } from 'vitest';
import { isRotationOf } from '../../../src/logs/tail.ts';

describe('isRotationOf', () => {
  test.each([
    { name: 'fac.log.1', rotated: true },
    { name: 'fac.log-20261124', rotated: true },
    { name: 'fac.log.2026-11-24_12', rotated: true },
    { name: 'fac-20261124.log', rotated: true },
    { name: 'fac.1.log', rotated: true },
    { name: 'fac.log', rotated: false },
    { name: 'fac.log.1.gz', rotated: false },
    { name: 'fac.log.new', rotated: false },
    { name: 'fac2.log', rotated: false },
    { name: 'other.log.1', rotated: false },
    { name: '.fac.log.swp', rotated: false },
  ])('says of $name: $rotated', ({ name, rotated }) => {
    expect(isRotationOf('fac.log', name)).toBe(rotated);
  });

  test('knows logs without an extension', () => {
    expect(isRotationOf('messages', 'messages-20261124')).toBe(true);
    expect(isRotationOf('messages', 'messages')).toBe(false);
  });
});
