import { describe, expect, test } from 'vitest';
import type { FailureReason, MailObservation, MailStage } from '../../../../src/core/observation.ts';
import { judgeMail } from '../../../../src/checks/mail/judge.ts';

interface Failing {
  readonly stage: MailStage;
  readonly reason: FailureReason;
  readonly code?: number;
  readonly tlsError?: string;
}

function failing({ stage, reason, code, tlsError }: Failing, localhostAnswers: boolean | null = null): MailObservation {
  const outcome = {
    kind: 'failed',
    reason,
    message: 'as it is',
    durationMs: 9,
    stage,
    code: code ?? null,
    tlsError: tlsError ?? null,
  } as const;
  return { server: 'mail.example.test:25', security: 'starttls', outcome, certificateNotAfter: null, localhostAnswers };
}

describe('judgeMail', () => {
  test('finds nothing in a server that accepts', () => {
    const outcome = { kind: 'accepted', durationMs: 9, greeting: '220 hello' } as const;
    expect(
      judgeMail({
        server: 'mail.example.test:25',
        security: 'none',
        outcome,
        certificateNotAfter: null,
        localhostAnswers: null,
      }),
    ).toEqual([]);
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
    const [finding] = judgeMail(failing(failure));
    expect(`${String(finding?.level)} ${String(finding?.rule)} ${finding?.suggests ?? '-'}`).toBe(expected);
    expect(finding?.subject).toBe('mail.example.test:25');
    expect(finding?.facts).toEqual({ security: 'starttls' });
  });

  test('says what happened, and where', () => {
    expect(judgeMail(failing({ stage: 'recipient', reason: 'rejected', code: 550 }))[0]?.actual).toBe(
      'rejected (recipient): as it is',
    );
    expect(judgeMail(failing({ stage: 'tls', reason: 'tls', tlsError: 'CERT_HAS_EXPIRED' }))[0]?.actual).toBe(
      'tls (tls, CERT_HAS_EXPIRED): as it is',
    );
    expect(judgeMail(failing({ stage: 'tls', reason: 'rejected', tlsError: 'NO_STARTTLS' }))[0]?.actual).toBe(
      'STARTTLS is not offered: as it is',
    );
    expect(judgeMail(failing({ stage: 'tls', reason: 'reset' }))[0]?.actual).toBe('reset (tls): as it is');
    expect(judgeMail(failing({ stage: 'login', reason: 'rejected', tlsError: 'OLD' }))[0]?.actual).toBe(
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
    expect(judgeMail(failing({ stage, reason }))[0]?.expected).toBe(expected);
  });

  test('notes that localhost answers, only when it does', () => {
    const failure = { stage: 'connect', reason: 'refused' } as const;
    expect(judgeMail(failing(failure, true))[1]).toMatchObject({
      rule: 'mail-localhost-answers',
      subject: 'mail.example.test:25',
      expected: 'the configured mail server answers',
      actual:
        'a mail server on this machine (127.0.0.1:25) answers: on FortiAuthenticator the mail server "localhost" is ' +
        'worth a try meanwhile',
      level: 'note',
      suggests: null,
    });
    expect(judgeMail(failing(failure, false))).toHaveLength(1);
    expect(judgeMail(failing(failure, null))).toHaveLength(1);
  });
});
