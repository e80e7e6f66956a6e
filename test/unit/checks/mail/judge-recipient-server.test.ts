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

const ELSEWHERE = 'This is the view of this machine; from FortiAuthenticator it may differ';

test('one that greets says that the mailer of FortiAuthenticator may be worth a try', () => {
  expect(seen({ kind: 'greets', durationMs: 3 }, ['mx1.example.org', 'mx2.example.org'])).toEqual([
    'mail-recipient-server-greets note example.org: a mail server of it (mx1.example.org, mx2.example.org) greets this ' +
      `machine: on FortiAuthenticator "localhost" may be worth a try. ${ELSEWHERE}`,
  ]);
});

test('none that greets is told with its reason', () => {
  expect(seen(TIMEOUT, [])).toEqual([
    `mail-recipient-server-greets note example.org: no mail server of it greets this machine: No answer. ${ELSEWHERE}`,
  ]);
});

test('trouble of this machine itself says nothing', () => {
  expect(seen({ ...TIMEOUT, reason: 'aborted' }, ['mx1.example.org'])).toEqual([]);
});
