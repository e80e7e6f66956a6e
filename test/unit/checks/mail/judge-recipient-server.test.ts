import { expect, test } from 'vitest';
import { judgeMailServers } from '../../../../src/checks/mail/judge.ts';
import type { MailObservation, RecipientServerObservation } from '../../../../src/core/observation.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const TIMEOUT = { kind: 'failed', reason: 'timeout', message: 'No answer', durationMs: 3 } as const;
/** A mail server that nobody reaches. */
const SILENT: MailObservation = {
  server: 'mail.example.org:25',
  security: 'starttls',
  required: true,
  patience: 10_000,
  certificateNotAfter: null,
  recipientServers: [],
  outcome: { ...TIMEOUT, stage: 'connect', code: null, tlsError: null },
};

const judge = withPlainClaims(judgeMailServers);

function seen(outcome: RecipientServerObservation['outcome'], hosts: readonly string[]): readonly string[] {
  const recipientServers = [{ domain: 'example.org', hosts, outcome }];
  return judge([{ ...SILENT, recipientServers }], { fromAppliance: false })
    .filter(({ subject }) => subject === 'example.org')
    .map(({ rule, level, subject, claim }) => `${rule} ${level} ${subject}: ${claim}`);
}

test('one that greets says that the mailer of FortiAuthenticator may be worth a try', () => {
  expect(seen({ kind: 'greets', durationMs: 3 }, ['mx1.example.org', 'mx2.example.org'])).toEqual([
    'mail-recipient-server-greets note example.org: A mail server for the domain answers this machine, so you ' +
      'can try "localhost" as the mail server on FortiAuthenticator.',
  ]);
});

test('none that greets is told with its reason', () => {
  expect(seen(TIMEOUT, [])).toEqual([
    'mail-recipient-server-greets note example.org: No mail server for the domain answers this machine.',
  ]);
});

test('trouble of this machine itself says nothing', () => {
  expect(seen({ ...TIMEOUT, reason: 'aborted' }, ['mx1.example.org'])).toEqual([]);
});
