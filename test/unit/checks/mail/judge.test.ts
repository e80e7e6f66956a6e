import { describe, expect, test } from 'vitest';
import type { DistinguishedName } from '../../../../src/core/certificate.ts';
import type { FailureReason, MailObservation, MailStage } from '../../../../src/core/observation.ts';
import { type MailView, judgeMail as judgeMailUnchecked } from '../../../../src/checks/mail/judge.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

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
  };
}

describe('judgeMail', () => {
  test.each([
    [5000, []],
    [6044, ['warning mail-server-answers-in-time mail-slow']],
  ])('judges a server that accepts by its slowest answer, %i ms', (slowestMs, expected) => {
    const outcome = { kind: 'accepted', durationMs: 9000, slowestMs, greeting: '220 hello' } as const;
    const findings = judgeMail({ ...failing({ stage: 'connect', reason: 'refused' }), outcome }, ELSEWHERE);
    expect(findings.map(({ level, rule, suggests }) => `${level} ${rule} ${suggests ?? '-'}`)).toEqual(expected);
  });

  test.each<[Failing, string]>([
    [{ stage: 'connect', reason: 'refused' }, 'broken mail-server-answers mail-unreachable'],
    [{ stage: 'connect', reason: 'timeout' }, 'broken mail-server-answers mail-unreachable'],
    [{ stage: 'connect', reason: 'name-not-resolved' }, 'broken mail-server-resolves mail-unreachable'],
    [{ stage: 'connect', reason: 'no-route' }, 'unknown mail-server-answers -'],
    [{ stage: 'connect', reason: 'aborted' }, 'unknown mail-server-answers -'],
    [{ stage: 'greeting', reason: 'timeout' }, 'broken mail-server-answers mail-unreachable'],
    [{ stage: 'greeting', reason: 'rejected', code: 554 }, 'broken mail-client-accepted mail-client-refused'],
    [{ stage: 'greeting', reason: 'rejected', code: 421 }, 'broken mail-server-available mail-unavailable'],
    [{ stage: 'greeting', reason: 'closed' }, 'broken mail-server-answers mail-unreachable'],
    [{ stage: 'greeting', reason: 'internal' }, 'unknown mail-server-answers -'],
    [{ stage: 'ehlo', reason: 'rejected', code: 550 }, 'broken mail-client-accepted mail-client-refused'],
    [{ stage: 'ehlo', reason: 'timeout' }, 'broken mail-session-goes-on mail-stops-answering'],
    [{ stage: 'ehlo', reason: 'aborted' }, 'unknown mail-server-answers -'],
    [
      { stage: 'tls', reason: 'rejected', code: 502, tlsError: 'NO_STARTTLS' },
      'broken mail-tls-verifies mail-tls-broken',
    ],
    [{ stage: 'tls', reason: 'tls', tlsError: 'CERT_HAS_EXPIRED' }, 'broken mail-tls-verifies mail-tls-broken'],
    [{ stage: 'tls', reason: 'reset' }, 'broken mail-tls-verifies mail-tls-broken'],
    [{ stage: 'tls', reason: 'reset', code: 454 }, 'broken mail-tls-verifies mail-tls-broken'],
    [{ stage: 'tls', reason: 'rejected', code: 502 }, 'broken mail-tls-verifies mail-tls-broken'],
    [{ stage: 'tls', reason: 'rejected' }, 'broken mail-tls-verifies mail-tls-broken'],
    [
      { stage: 'tls', reason: 'rejected', code: 454, tlsError: 'STARTTLS_REFUSED' },
      'broken mail-server-available mail-unavailable',
    ],
    [{ stage: 'login', reason: 'rejected', code: 535 }, 'broken mail-login-accepted mail-login-rejected'],
    [{ stage: 'login', reason: 'rejected' }, 'broken mail-login-accepted mail-login-rejected'],
    [{ stage: 'login', reason: 'rejected', code: 454 }, 'warning mail-server-available mail-unavailable'],
    [{ stage: 'login', reason: 'rejected', code: 503 }, 'broken mail-login-accepted mail-login-rejected'],
    [{ stage: 'login', reason: 'timeout' }, 'broken mail-session-goes-on mail-stops-answering'],
    [{ stage: 'login', reason: 'closed' }, 'broken mail-session-goes-on mail-stops-answering'],
    [{ stage: 'login', reason: 'internal' }, 'unknown mail-login-accepted -'],
    [{ stage: 'sender', reason: 'rejected', code: 354 }, 'broken mail-sender-accepted mail-recipient-rejected'],
    [{ stage: 'sender', reason: 'rejected', code: 400 }, 'warning mail-sender-accepted mail-recipient-rejected'],
    [{ stage: 'sender', reason: 'rejected', code: 500 }, 'broken mail-sender-accepted mail-recipient-rejected'],
    [{ stage: 'sender', reason: 'rejected', code: 550 }, 'broken mail-sender-accepted mail-recipient-rejected'],
    [{ stage: 'sender', reason: 'rejected', code: 451 }, 'warning mail-sender-accepted mail-recipient-rejected'],
    [{ stage: 'recipient', reason: 'rejected', code: 550 }, 'broken mail-recipient-accepted mail-recipient-rejected'],
    [{ stage: 'recipient', reason: 'rejected', code: 450 }, 'warning mail-recipient-accepted mail-recipient-rejected'],
    [{ stage: 'recipient', reason: 'timeout' }, 'broken mail-session-goes-on mail-stops-answering'],
    [{ stage: 'recipient', reason: 'aborted' }, 'unknown mail-recipient-accepted -'],
    [{ stage: 'sender', reason: 'aborted' }, 'unknown mail-sender-accepted -'],
    [{ stage: 'sender', reason: 'rejected', code: 530 }, 'broken mail-settings-suffice mail-settings-incomplete'],
  ])('%j', (failure, expected) => {
    const [finding] = judgeMail(failing(failure), ELSEWHERE);
    expect(`${String(finding?.level)} ${String(finding?.rule)} ${finding?.suggests ?? '-'}`).toBe(expected);
    expect(finding?.subject).toBe('mail.example.test:25');
    expect(finding?.facts).toEqual({ security: 'starttls' });
  });

  test('is less sure of a policy that may be one for this machine alone', () => {
    const refused = failing({ stage: 'sender', reason: 'rejected', code: 550, message: '550 5.7.1 not allowed' });
    expect(judgeMail(refused, ELSEWHERE)[0]?.confidence).toBe('suspected');
    expect(judgeMail(refused, FROM_APPLIANCE)[0]).not.toHaveProperty('confidence');
  });

  test.each([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'untrusted'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'untrusted'],
    ['UNABLE_TO_GET_ISSUER_CERT', 'untrusted'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'untrusted'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'untrusted'],
    ['CERT_HAS_EXPIRED', undefined],
  ])('takes a certificate for untrusted that was seen and fails with %s', (tlsError, kind) => {
    const seen = failing({ stage: 'tls', reason: 'tls', tlsError });
    const issuer: DistinguishedName = { attributes: [{ type: 'CN', value: 'Acme' }] };
    const shown = { ...seen, outcome: { ...seen.outcome, issuer } } as MailObservation;
    expect(judgeMail(shown, ELSEWHERE)[0]?.kind).toBe(kind);
    expect(judgeMail(seen, ELSEWHERE)[0]?.kind).toBeUndefined();
  });

  test.each<[MailStage, number, MailView, string]>([
    ['recipient', 554, ELSEWHERE, 'warning mail-relay-permitted mail-relay-denied this-machine'],
    ['sender', 530, ELSEWHERE, 'broken mail-settings-suffice mail-settings-incomplete login'],
    ['recipient', 454, ELSEWHERE, 'warning mail-relay-permitted mail-relay-denied this-machine'],
    ['recipient', 554, FROM_APPLIANCE, 'broken mail-relay-permitted mail-relay-denied -'],
    ['recipient', 454, FROM_APPLIANCE, 'warning mail-relay-permitted mail-relay-denied -'],
    ['login', 535, ELSEWHERE, 'broken mail-login-accepted mail-login-rejected -'],
  ])('takes a refusal to relay at %s, %i, as an answer to the address that asks: %j', (stage, code, view, expected) => {
    const message = `The server replied "${String(code)} 5.7.1 <user@example.org>: Relay access denied"`;
    const [finding] = judgeMail(failing({ stage, reason: 'rejected', code, message }), view);
    expect([finding?.level, finding?.rule, finding?.suggests, finding?.kind ?? '-'].join(' ')).toBe(expected);
  });

  const FORTIGATE: DistinguishedName = {
    attributes: [
      { type: 'O', value: 'Fortinet' },
      { type: 'CN', value: 'FG100F' },
    ],
  };
  const NAMELESS: DistinguishedName = { attributes: [] };

  test.each<[tlsError: string | undefined, DistinguishedName | undefined, ...(string | undefined)[]]>([
    ['SELF_SIGNED_CERT_IN_CHAIN', FORTIGATE, 'untrusted', 'FG100F', 'O=Fortinet, CN=FG100F'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', NAMELESS, 'untrusted', undefined, '(empty name)'],
    ['CERT_HAS_EXPIRED', FORTIGATE, undefined, 'FG100F', 'O=Fortinet, CN=FG100F'],
    ['SELF_SIGNED_CERT_IN_CHAIN', undefined],
    [undefined, undefined],
  ])('names who issued the certificate of %s: %j', (tlsError, issued, kind, issuer, full) => {
    const seen = failing({ stage: 'tls', reason: 'tls', ...(tlsError === undefined ? {} : { tlsError }) });
    const outcome = {
      ...seen.outcome,
      ...(issued === undefined ? {} : { issuer: issued }),
    } as MailObservation['outcome'];
    const [finding] = judgeMail({ ...seen, outcome }, ELSEWHERE);
    expect([finding?.kind, finding?.facts?.issuer, finding?.fullNames]).toEqual([
      kind,
      issuer,
      full === undefined ? undefined : [full],
    ]);
  });

  test.each<[Failing, MailObservation['security'], string]>([
    [{ stage: 'greeting', reason: 'timeout' }, 'starttls', 'silent'],
    [{ stage: 'greeting', reason: 'timeout' }, 'none', 'silent'],
    [{ stage: 'greeting', reason: 'timeout' }, 'tls', '-'],
    [{ stage: 'greeting', reason: 'closed' }, 'none', '-'],
    [{ stage: 'connect', reason: 'timeout' }, 'none', '-'],
  ])('a port that says nothing may want TLS from the start: %j, %s', (failure, security, kind) => {
    expect(judgeMail({ ...failing(failure), security }, ELSEWHERE)[0]?.kind ?? '-').toBe(kind);
  });

  test.each<[Partial<MailObservation>, number, string]>([
    [{ isLoginUnknown: true }, 530, 'note -'],
    [{}, 530, 'broken mail-settings-incomplete'],
    [{ isLoginUnknown: true }, 550, 'broken mail-recipient-rejected'],
  ])('a login that nobody tells is not missing: %j, %i', (more, code, expected) => {
    const [finding] = judgeMail({ ...failing({ stage: 'sender', reason: 'rejected', code }), ...more }, ELSEWHERE);
    expect(`${String(finding?.level)} ${finding?.suggests ?? '-'}`).toBe(expected);
  });

  test.each<[MailStage, number, string, MailView, string]>([
    ['recipient', 550, '550 5.7.1 no', ELSEWHERE, 'broken mail-recipient-rejected suspected'],
    ['recipient', 550, '550 5.7.1 no', FROM_APPLIANCE, 'broken mail-recipient-rejected -'],
    ['sender', 550, '550 5.7.1 no', ELSEWHERE, 'broken mail-recipient-rejected suspected'],
    ['sender', 553, '553 5.7.1 Sender address rejected: not owned', ELSEWHERE, 'broken mail-recipient-rejected -'],
    ['greeting', 554, '554 no', ELSEWHERE, 'broken mail-client-refused suspected'],
    ['recipient', 550, '550 5.7.25 no PTR', ELSEWHERE, 'warning mail-client-refused -'],
    ['recipient', 550, '550 5.7.25 no PTR', FROM_APPLIANCE, 'broken mail-client-refused -'],
  ])('is as sure as the reply is clear: %s, %s %s', (stage, code, reply, view, expected) => {
    const message = `The server replied "${reply}"`;
    const [finding] = judgeMail(failing({ stage, reason: 'rejected', code, message }), view);
    expect(`${String(finding?.level)} ${finding?.suggests ?? '-'} ${finding?.confidence ?? '-'}`).toBe(expected);
  });
});
