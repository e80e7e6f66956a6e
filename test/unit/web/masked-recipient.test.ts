import { describe, expect, test } from 'vitest';
import { maskedDetail, maskedRecipient } from '../../../src/web/incident-json.ts';
import { cpuMsOf } from '../../support/process/cpu-time.ts';

describe('maskedRecipient()', () => {
  test.each([
    ['email', 'admins@example.org', 'a…@example.org'],
    ['email', 'first.last+ftm@mail.example.org', 'f…@mail.example.org'],
    ['email', 'x@example.org', 'x…@example.org'],
    ['webhook', 'https://hooks.example.org/services/T0/B0/secret', 'https://hooks.example.org/…'],
    ['webhook', 'https://hooks.example.org:8443/?token=secret', 'https://hooks.example.org:8443/…'],
    ['webhook', 'http://user:secret@hooks.example.org/', 'http://hooks.example.org'],
    ['webhook', 'chat of ops', 'chat of ops'],
    ['alertmanager', 'no address', '…'],
    ['webhook', 'file "/run/secrets/hook"', 'file "/run/secrets/hook"'],
  ] as const)('shows of %s %s only %s', (channel, recipient, expected) => {
    expect(maskedRecipient({ channel, recipient })).toBe(expected);
  });
});

describe('maskedDetail()', () => {
  test.each([
    [
      '550 5.1.1 <admins@example.org>: Recipient address rejected',
      '550 5.1.1 <a…@example.org>: Recipient address rejected',
    ],
    ['rcpt to:admins@[192.0.2.1] and b.c@example.org', 'rcpt to:a…@[192.0.2.1] and b…@example.org'],
    ['404 from https://hooks.example.org/services/secret', '404 from https://hooks.example.org/…'],
    ['421 4.7.0 Try again @ noon', '421 4.7.0 Try again @ noon'],
    ['', ''],
  ])('masks %j', (detail, expected) => {
    expect(maskedDetail({ detail })).toBe(expected);
  });

  test('takes a long text of a stranger in no time', () => {
    const texts = ['a'.repeat(200_000), 'a@'.repeat(100_000)];
    expect(cpuMsOf(() => texts.forEach((detail) => maskedDetail({ detail })))).toBeLessThan(500);
  });
});
