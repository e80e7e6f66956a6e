import { expect, test } from 'vitest';
import { isLoopback } from '../../../src/web/change-refusal.ts';

test.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', '0:0:0:0:0:0:0:1'])(
  '%s is of this machine',
  (address) => {
    expect(isLoopback(address)).toBe(true);
  },
);

test.each([
  '10.0.0.9',
  '128.0.0.1',
  '0.0.0.0',
  '::',
  '::2',
  '::ffff:10.0.0.9',
  'fe80::1%eth0',
  'localhost',
  '127.1',
  '127.0.0.1, 10.0.0.9',
  '',
  undefined,
])('%s is not', (address) => {
  expect(isLoopback(address)).toBe(false);
});
