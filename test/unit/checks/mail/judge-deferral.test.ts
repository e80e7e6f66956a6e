import { expect, test } from 'vitest';
import type { MailObservation } from '../../../../src/core/observation.ts';
import { judgeMailServers } from '../../../support/checks/judged-mail.ts';

const MINUTE = 60_000;
const SEEN: MailObservation = {
  server: 'mail.example.org:25',
  security: 'starttls',
  required: false,
  patience: 10_000,
  certificateNotAfter: null,
  outcome: { kind: 'accepted', durationMs: 3, slowestMs: 2, greeting: 'mail.example.org' },
};

function told(lasted: number): ReturnType<typeof judgeMailServers> {
  return judgeMailServers([{ ...SEEN, deferral: { lasted, codeLife: 60 * MINUTE } }]);
}

test('a server that has messages come back later than a code lives may be too slow for it', () => {
  expect(told(60 * MINUTE)).toMatchObject([
    {
      rule: 'mail-arrives-while-codes-live',
      subject: 'mail.example.org:25',
      claim: 'The mail server deferred messages for 1 h, but activation codes are valid for 1 h.',
      expected: 'a message is accepted within 1 h, while an activation code is valid',
      level: 'warning',
      suggests: 'mail-outlasts-code',
      confidence: 'suspected',
      facts: { security: 'starttls', waited: '1 h', life: '1 h' },
    },
  ]);
});

test('one that takes them in time is none', () => {
  expect(told(60 * MINUTE - 1)).toEqual([]);
  expect(judgeMailServers([SEEN])).toEqual([]);
  expect(judgeMailServers([{ ...SEEN, deferral: { lasted: 60 * MINUTE, codeLife: null } }])).toEqual([]);
});
