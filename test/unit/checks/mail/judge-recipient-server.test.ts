import { expect, test } from 'vitest';
import { judgeRecipientServer as judgeRecipientServerUnchecked } from '../../../../src/checks/mail/judge.ts';
import type { RecipientServerObservation } from '../../../../src/core/observation.ts';
import { withPlainClaims } from '../../../support/plain-claim.ts';

const judgeRecipientServer = withPlainClaims(judgeRecipientServerUnchecked);

const TIMEOUT = { kind: 'failed', reason: 'timeout', message: 'No answer', durationMs: 3 } as const;

function seen(outcome: RecipientServerObservation['outcome'], hosts: readonly string[]): readonly string[] {
  return judgeRecipientServer({ domain: 'example.org', hosts, outcome }).map(
    ({ rule, level, subject, claim }) => `${rule} ${level} ${subject}: ${claim}`,
  );
}

test('one that greets says that the mailer of FortiAuthenticator may be worth a try', () => {
  expect(seen({ kind: 'greets', durationMs: 3 }, ['mx1.example.org', 'mx2.example.org'])).toEqual([
    'mail-recipient-server-greets note example.org: A mail server of the domain answers this machine: on ' +
      'FortiAuthenticator "localhost" may be worth a try.',
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
