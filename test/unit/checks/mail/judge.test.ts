import { describe, expect, test } from 'vitest';
import type { FailureReason, MailObservation, MailStage } from '../../../../src/core/observation.ts';
import type { MailView } from '../../../../src/checks/mail/mail-view.ts';
import { judgeMail as judgeMailUnchecked } from '../../../../src/checks/mail/judge.ts';
import { withPlainClaims } from '../../../support/plain-claim.ts';

const judgeMail = withPlainClaims(judgeMailUnchecked);

interface Failing {
  readonly stage: MailStage;
  readonly reason: FailureReason;
  readonly code?: number;
  readonly tlsError?: string;
  readonly message?: string;
}

const ELSEWHERE: MailView = { fromAppliance: false };
const FROM_APPLIANCE: MailView = { fromAppliance: true };

function failing({ stage, reason, code, tlsError, message }: Failing): MailObservation {
  const outcome = {
    kind: 'failed',
    reason,
    message: message ?? 'as it is',
    durationMs: 9,
    stage,
    code: code ?? null,
    tlsError: tlsError ?? null,
  } as const;
  return {
    server: 'mail.example.test:25',
    security: 'starttls',
    required: false,
    patience: 5000,
    outcome,
    certificateNotAfter: null,
    recipientServers: [],
  };
}

describe('judgeMail', () => {
  test.each([
    [5000, []],
    [6044, ['warning mail-server-answers-in-time mail-slow: one took 6 s']],
  ])('judges a server that accepts by its slowest answer, %i ms', (slowestMs, said) => {
    const outcome = { kind: 'accepted', durationMs: 9000, slowestMs, greeting: '220 hello' } as const;
    expect(
      judgeMail(
        {
          server: 'mail.example.test:25',
          security: 'none',
          required: false,
          patience: 5000,
          outcome,
          certificateNotAfter: null,
          recipientServers: [],
        },
        ELSEWHERE,
      ).map(({ level, rule, suggests, actual }) => `${level} ${rule} ${suggests ?? '-'}: ${actual}`),
    ).toEqual(said);
  });

  test.each<[Failing, string]>([
    [{ stage: 'connect', reason: 'refused' }, 'broken mail-server-answers mail-unreachable'],
    [{ stage: 'connect', reason: 'timeout' }, 'broken mail-server-answers mail-unreachable'],
    [{ stage: 'connect', reason: 'name-not-resolved' }, 'broken mail-server-resolves mail-unreachable'],
    [{ stage: 'connect', reason: 'no-route' }, 'unknown mail-server-answers -'],
    [{ stage: 'connect', reason: 'aborted' }, 'unknown mail-server-answers -'],
    [{ stage: 'greeting', reason: 'timeout' }, 'broken mail-server-answers mail-unreachable'],
    [{ stage: 'greeting', reason: 'rejected', code: 554 }, 'broken mail-server-answers mail-unreachable'],
    [{ stage: 'greeting', reason: 'rejected', code: 421 }, 'broken mail-server-answers mail-unreachable'],
    [{ stage: 'ehlo', reason: 'rejected', code: 550 }, 'broken mail-server-answers mail-unreachable'],
    [
      { stage: 'tls', reason: 'rejected', code: 502, tlsError: 'NO_STARTTLS' },
      'broken mail-tls-verifies mail-tls-broken',
    ],
    [{ stage: 'tls', reason: 'tls', tlsError: 'CERT_HAS_EXPIRED' }, 'broken mail-tls-verifies mail-tls-broken'],
    [{ stage: 'tls', reason: 'reset' }, 'broken mail-tls-verifies mail-tls-broken'],
    [{ stage: 'login', reason: 'rejected', code: 535 }, 'broken mail-login-accepted mail-login-rejected'],
    [{ stage: 'login', reason: 'rejected' }, 'broken mail-login-accepted mail-login-rejected'],
    [{ stage: 'login', reason: 'rejected', code: 454 }, 'warning mail-login-accepted mail-login-rejected'],
    [{ stage: 'login', reason: 'closed' }, 'broken mail-server-answers mail-unreachable'],
    [{ stage: 'login', reason: 'internal' }, 'unknown mail-login-accepted -'],
    [{ stage: 'sender', reason: 'rejected', code: 354 }, 'broken mail-sender-accepted mail-recipient-rejected'],
    [{ stage: 'sender', reason: 'rejected', code: 400 }, 'warning mail-sender-accepted mail-recipient-rejected'],
    [{ stage: 'sender', reason: 'rejected', code: 500 }, 'broken mail-sender-accepted mail-recipient-rejected'],
    [{ stage: 'sender', reason: 'rejected', code: 550 }, 'broken mail-sender-accepted mail-recipient-rejected'],
    [{ stage: 'sender', reason: 'rejected', code: 451 }, 'warning mail-sender-accepted mail-recipient-rejected'],
    [{ stage: 'recipient', reason: 'rejected', code: 550 }, 'broken mail-recipient-accepted mail-recipient-rejected'],
    [{ stage: 'recipient', reason: 'rejected', code: 450 }, 'warning mail-recipient-accepted mail-recipient-rejected'],
    [{ stage: 'recipient', reason: 'timeout' }, 'broken mail-server-answers mail-unreachable'],
  ])('%j', (failure, expected) => {
    const [finding] = judgeMail(failing(failure), ELSEWHERE);
    expect(`${String(finding?.level)} ${String(finding?.rule)} ${finding?.suggests ?? '-'}`).toBe(expected);
    expect(finding?.subject).toBe('mail.example.test:25');
    expect(finding?.facts).toEqual({ security: 'starttls' });
  });

  test('says what happened, and where', () => {
    expect(judgeMail(failing({ stage: 'recipient', reason: 'rejected', code: 550 }), ELSEWHERE)[0]?.actual).toBe(
      'rejected (recipient): as it is',
    );
    expect(
      judgeMail(failing({ stage: 'tls', reason: 'tls', tlsError: 'CERT_HAS_EXPIRED' }), ELSEWHERE)[0]?.actual,
    ).toBe('tls (tls, CERT_HAS_EXPIRED): as it is');
    expect(
      judgeMail(failing({ stage: 'tls', reason: 'rejected', tlsError: 'NO_STARTTLS' }), ELSEWHERE)[0]?.actual,
    ).toBe('STARTTLS is not offered: as it is');
    expect(judgeMail(failing({ stage: 'tls', reason: 'reset' }), ELSEWHERE)[0]?.actual).toBe('reset (tls): as it is');
    expect(judgeMail(failing({ stage: 'login', reason: 'rejected', tlsError: 'OLD' }), ELSEWHERE)[0]?.actual).toBe(
      'rejected (login): as it is',
    );
  });

  test.each<readonly [MailStage, FailureReason, string]>([
    ['connect', 'name-not-resolved', 'an address for the name of the mail server'],
    ['connect', 'refused', 'a mail server that answers'],
    ['tls', 'tls', 'TLS with a certificate that verifies'],
    ['login', 'rejected', 'the user name and password are accepted'],
    ['sender', 'rejected', 'the sender is accepted'],
    ['recipient', 'rejected', 'the recipient is accepted'],
  ])('expects of %s, %s: %s', (stage, reason, expected) => {
    expect(judgeMail(failing({ stage, reason }), ELSEWHERE)[0]?.expected).toBe(expected);
  });

  test.each<[MailStage, number, MailView, string]>([
    ['recipient', 554, ELSEWHERE, 'warning mail-relay-permitted mail-relay-denied this-machine'],
    ['sender', 530, ELSEWHERE, 'warning mail-relay-permitted mail-relay-denied this-machine'],
    ['recipient', 454, ELSEWHERE, 'warning mail-relay-permitted mail-relay-denied this-machine'],
    ['recipient', 554, FROM_APPLIANCE, 'broken mail-relay-permitted mail-relay-denied -'],
    ['recipient', 454, FROM_APPLIANCE, 'warning mail-relay-permitted mail-relay-denied -'],
    ['login', 535, ELSEWHERE, 'broken mail-login-accepted mail-login-rejected -'],
  ])('takes a refusal to relay at %s, %i, as an answer to the address that asks: %j', (stage, code, view, expected) => {
    const message = `The server answered "${String(code)} 5.7.1 <user@example.org>: Relay access denied"`;
    const [finding] = judgeMail(failing({ stage, reason: 'rejected', code, message }), view);
    expect([finding?.level, finding?.rule, finding?.suggests, finding?.kind ?? '-'].join(' ')).toBe(expected);
  });
});
