import { expect, it } from 'vitest';
import { parseSmsQuota } from '../../../src/connectors/token-counts.ts';

/** As in docs:fortiauthenticator/6.3.0/rest-api-solution-guide/533466, with numbers in place of `###`. */
it.each([
  [
    { available_sms: 90, total_sms: 100, used_sms: 10 },
    { total: 100, available: 90 },
  ],
  [
    { available_sms: '90', total_sms: '100' },
    { total: 100, available: 90 },
  ],
  [
    { available_sms: 0, total_sms: 0, used_sms: 0 },
    { total: 0, available: 0 },
  ],
  [{ total_sms: 100 }, null],
  [{ available_sms: '###', total_sms: '###' }, null],
  [[], null],
  ['x', null],
])('parseSmsQuota() reads %j as %j', (value, expected) => {
  expect(parseSmsQuota(value)).toEqual(expected);
});
