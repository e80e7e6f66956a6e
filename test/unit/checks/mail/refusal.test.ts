import { describe, expect, test } from 'vitest';
import { judgeMail } from '../../../../src/checks/mail/judge.ts';
import type { MailStage } from '../../../../src/core/observation.ts';

/** Rule, kind and confidence of the finding about a probe that does not use FortiAuthenticator's address. */
const FINDINGS = {
  relaying: 'mail-relay-permitted this-machine',
  client: 'mail-client-accepted this-machine',
  'turned-away': 'mail-client-accepted turned-away suspected',
  'login-required': 'mail-settings-suffice login',
  'encryption-required': 'mail-settings-suffice encryption',
  'login-not-offered': 'mail-login-accepted not-offered',
  credentials: 'mail-login-accepted',
  'a password': 'mail-login-accepted passwords-disabled',
  'a password, perhaps': 'mail-login-accepted passwords-disabled suspected',
  unavailable: 'mail-server-available',
  greylisted: 'mail-recipient-accepted later',
  'of the sender': 'mail-sender-accepted',
  'of the recipient': 'mail-recipient-accepted',
  policy: 'mail-recipient-accepted suspected',
} as const;

const ROWS: readonly (readonly [MailStage, keyof typeof FINDINGS, readonly string[]])[] = [
  [
    'recipient',
    'relaying',
    [
      // Postfix; 454 is its default (defer_unauth_destination).
      '454 4.7.1 <user@example.org>: Relay access denied',
      '554 5.7.1 <user@example.org>: Relay access denied',
      '554 <user@example.org>: Recipient address rejected: Relay access denied',
      // For a client that no restriction permits. Postfix's access tables give the same reply for a recipient.
      '554 5.7.1 <user@example.org>: Recipient address rejected: Access denied',
      // Exim with Debian's configuration.
      '550 relay not permitted',
      // Sendmail, qmail.
      '550 5.7.1 <user@example.org>... Relaying denied',
      '550 relaying to <user@example.org> prohibited by administrator',
      "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
      // Exchange and Exchange Online.
      '550 5.7.1 Unable to relay',
      '550 5.7.1 Unable to relay for user@example.org',
      '550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain',
      '550 5.7.64 TenantAttribution',
    ],
  ],
  ['sender', 'relaying', ['553 5.7.1 <fac@example.org>: Sender address rejected: not logged in']],
  [
    'recipient',
    'client',
    [
      // Postfix: reject_unknown_client_hostname, an access table, a block list, reject_non_fqdn_helo_hostname.
      '450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.7]',
      '450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.7]',
      '554 5.7.1 <host.example.org[192.0.2.7]>: Client host rejected: Access denied',
      '554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org',
      '504 5.5.2 <watcher>: Helo command rejected: need fully-qualified hostname',
      // RFC 7372.
      '550 5.7.25 The IP address sending this message does not have a PTR record',
      '550 5.7.23 SPF validation failed',
      // Exim, Sendmail, FortiMail.
      '550 JunkMail rejected - [192.0.2.7] is in an RBL',
      '550 5.7.1 Fix reverse DNS for 192.0.2.7',
      '550 192.0.2.7 is blocklisted by FortiGuard. This email from IP has been rejected',
      '550 Your host is not allowed to connect',
      '550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)',
    ],
  ],
  ['greeting', 'client', ['554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org']],
  [
    'greeting',
    'turned-away',
    ['554 mail.example.org ESMTP not accepting messages', '550 no', '521 5.3.2 no mail here'],
  ],
  ['ehlo', 'turned-away', ['550 Access denied']],
  [
    'greeting',
    'unavailable',
    [
      '421 4.7.0 Too many connections',
      '421 Service not available, closing transmission channel',
      '450 4.3.2 try later',
    ],
  ],
  ['ehlo', 'unavailable', ['421 4.3.2 All server ports are busy']],
  ['login', 'unavailable', ['454 4.7.0 Temporary authentication failure', '421 4.7.0 Too many errors']],
  ['recipient', 'unavailable', ['421 4.3.0 Shutting down']],
  [
    'login',
    'credentials',
    [
      '535 5.7.8 Error: authentication failed',
      '534 5.7.9 Application-specific password required',
      // Exchange Online.
      '535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.',
      '535 5.7.3 Authentication unsuccessful',
    ],
  ],
  // Exchange Online.
  [
    'login',
    'a password',
    [
      '550 5.7.30 Basic authentication is not supported for Client Submission.',
      '535 5.7.30 Basic authentication is not supported for Client Submission.',
      '535 5.7.139 Authentication unsuccessful, basic authentication is disabled.',
      '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.',
      '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.',
    ],
  ],
  ['sender', 'a password', ['550 5.7.30 Basic authentication is not supported for Client Submission.']],
  [
    'login',
    'a password, perhaps',
    [
      '535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully.',
      "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy.",
      '550 5.7.30 no',
    ],
  ],
  [
    'login',
    'login-not-offered',
    ['503 5.5.1 Error: authentication not enabled', '504 5.7.4 Unrecognized authentication type', '502 no', '500 what'],
  ],
  ['login', 'encryption-required', ['538 5.7.11 Encryption required for requested authentication mechanism']],
  [
    'sender',
    'login-required',
    [
      '530 5.7.0 Authentication required',
      '530-5.5.1 Authentication Required. Learn more',
      '530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM',
    ],
  ],
  ['sender', 'encryption-required', ['530 5.7.0 Must issue a STARTTLS command first']],
  [
    'recipient',
    'greylisted',
    [
      '450 4.2.0 <user@example.org>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/',
      '451 4.7.1 Greylisting in action, please come back later',
      '451 Temporary failure, please try again later.',
      '450 4.3.2 Service currently unavailable',
      '450 as it is',
    ],
  ],
  [
    'recipient',
    'of the recipient',
    [
      '550 5.1.1 <user@example.org>: Recipient address rejected: User unknown in virtual mailbox table',
      '550 Unrouteable address',
      '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup',
      '552 5.2.2 mailbox full',
      '452 4.2.2 mailbox full',
      // System problems, which a delay does not fix.
      '451 4.3.5 Server configuration problem',
      '450 4.1.1 <user@example.org>: Recipient address rejected: unverified address',
      '451 4.4.3 Temporary server error',
      '451 4.5.1 too many',
    ],
  ],
  [
    'sender',
    'of the sender',
    [
      // The user who has logged in is not allowed to send as this sender.
      '553 5.7.1 <fac@example.org>: Sender address rejected: not owned by user monitor',
      '550 5.7.60 SMTP; Client does not have permissions to send as this sender',
      '450 4.1.8 <fac@example.org>: Sender address rejected: Domain not found',
    ],
  ],
  [
    'recipient',
    'policy',
    [
      '550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected',
      '554 5.7.0 no',
      '550 5.7.30 REQUIRETLS needed',
    ],
  ],
];

describe.each(ROWS)('a refusal at %s: %s', (stage, refusal, replies) => {
  test.each(replies)('%s', (reply) => {
    const code = Number(reply.slice(0, 3));
    const message = `The server replied "${reply}"`;
    const failure = {
      kind: 'failed',
      reason: 'rejected',
      message,
      durationMs: 9,
      stage,
      code,
      tlsError: null,
    } as const;
    const server = { server: 'mail.example.org:25', security: 'starttls', required: false, patience: 5000 } as const;
    const findings = judgeMail({ ...server, outcome: failure, certificateNotAfter: null }, { fromAppliance: false });
    expect(findings.map(({ rule, kind, confidence }) => [rule, kind, confidence].filter(Boolean).join(' '))).toEqual([
      FINDINGS[refusal],
    ]);
  });
});
