import { judgeMail } from '../../../src/checks/mail/judge.ts';
import type { DistinguishedName } from '../../../src/core/certificate.ts';
import type { FailureReason, MailObservation, MailStage } from '../../../src/core/observation.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { judgeMailServers } from '../../support/checks/judged-mail.ts';
import { HOUR, failure } from './failures.ts';

function mail(
  stage: MailStage,
  reason: FailureReason,
  said: string | null = null,
  more: Partial<MailObservation> = {},
) {
  const message = said === null ? 'the text of the system' : `The server replied "${said}"`;
  const code = said === null ? null : Number(said.slice(0, 3));
  const outcome = { kind: 'failed', reason, message, durationMs: 9, stage, code, tlsError: null } as const;
  return judgeMail({ ...SERVER, outcome, ...more }, { fromAppliance: false });
}

const SERVER = {
  server: 'mail.example.org:25',
  security: 'starttls',
  required: false,
  patience: 5000,
  certificateNotAfter: null,
  outcome: { kind: 'accepted', durationMs: 9, slowestMs: 9, greeting: '220 hello' },
} as const;

const MAIL_REASONS = [
  'timeout',
  'refused',
  'closed',
  'protocol',
  'name-not-resolved',
  'no-route',
  'internal',
  'aborted',
] as const;
const STAGES = ['connect', 'greeting', 'ehlo', 'tls', 'login', 'sender', 'recipient'] as const;

function tls(tlsError: string, issuer?: DistinguishedName): readonly Finding[] {
  const issued = issuer === undefined ? {} : { issuer };
  const outcome = { ...failure('tls'), stage: 'tls', code: null, tlsError, ...issued } as const;
  return judgeMail({ ...SERVER, outcome }, { fromAppliance: false });
}

export const MAIL = {
  ...Object.fromEntries(
    STAGES.flatMap((stage) => MAIL_REASONS.map((reason) => [`${stage}, ${reason}`, mail(stage, reason)])),
  ),
  'an expired certificate': tls('CERT_HAS_EXPIRED'),
  'an unknown authority': tls('SELF_SIGNED_CERT_IN_CHAIN', { attributes: [{ type: 'CN', value: 'FG100F' }] }),
  'a nameless authority': tls('SELF_SIGNED_CERT_IN_CHAIN', { attributes: [] }),
  'no STARTTLS': tls('NO_STARTTLS'),
  'plain text instead of TLS': tls('ERR_SSL_WRONG_VERSION_NUMBER'),
  'STARTTLS refused': mail('tls', 'rejected', '454 4.7.0 TLS not available'),
  'the client refused': mail('greeting', 'rejected', '554 5.7.1 no'),
  'too busy': mail('greeting', 'rejected', '421 4.3.2 later'),
  'the login rejected': mail('login', 'rejected', '535 5.7.8 authentication failed'),
  'no login offered': mail('login', 'rejected', '504 5.7.4 unrecognized'),
  'passwords disabled': mail('login', 'rejected', '550 5.7.30 Basic authentication is not supported'),
  'the sender rejected': mail('sender', 'rejected', '553 5.7.1 Sender address rejected: not owned by user'),
  'a login needed': mail('sender', 'rejected', '530 5.7.0 Authentication required'),
  'encryption needed': mail('sender', 'rejected', '530 5.7.0 Must issue a STARTTLS command first'),
  'the recipient rejected': mail('recipient', 'rejected', '550 5.1.1 no such user'),
  'no relaying': mail('recipient', 'rejected', '554 5.7.1 <user@example.org>: Relay access denied'),
  'no reverse name': mail('recipient', 'rejected', '550 5.7.25 no PTR record'),
  greylisting: mail('recipient', 'rejected', '450 4.2.0 Greylisted'),
  slow: judgeMail({ ...SERVER, outcome: { ...SERVER.outcome, slowestMs: 6044 } }, { fromAppliance: false }),
  'slower than a code lives': judgeMailServers([{ ...SERVER, deferral: { lasted: 2 * HOUR, codeLife: HOUR } }]),
  'one server of two': judgeMailServers([
    { ...SERVER, outcome: { ...failure('refused'), ...AT_CONNECT() } },
    { ...SERVER, server: 'b:25' },
  ]),
};

function AT_CONNECT() {
  return { stage: 'connect', code: null, tlsError: null } as const;
}
