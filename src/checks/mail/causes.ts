import type { CauseWords } from '../../engine/words/cause-words.ts';
import { shell } from '../../engine/words/step.ts';

const TRY_LOCALHOST =
  'Until it is fixed, FortiAuthenticator may deliver by itself: System > Messaging > Email Services, SMTP server ' +
  '"localhost". It then needs TCP 25 to the mail servers of the recipients, and these check where it comes from: ' +
  'without SPF, DKIM and a reverse name for its sending address, codes end up as spam or are refused.';

/** Causes on the way of the activation codes. */
export const MAIL_CAUSES = {
  'mail-unreachable': {
    severity: 'critical',
    title: 'the mail server cannot be reached',
    short: 'mail server unreachable',
    headline: 'the mail server {subject} is unreachable',
    summary: 'The mail server {subject} gives no SMTP answer.',
    impact: 'codes',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.5.0/rest-api-solution-guide/339974'],
    remedy: [
      shell(
        'Test by hand: a line that begins with 220 must appear (where the server speaks TLS from the start, the port ' +
          'opens and shows nothing).',
        'nc -v {mailhost} {mailport}',
      ),
      'Check that the mail server runs and that no firewall blocks the port from {source}.',
      'On FortiAuthenticator check System > Messaging > SMTP Servers and use "Test Connection".',
      TRY_LOCALHOST,
    ],
  },
  'mail-slow': {
    severity: 'warning',
    title: 'the mail server answers too slowly',
    short: 'mail server is slow',
    headline: 'the mail server {subject} is slow',
    summary:
      'The mail server {subject} accepts a message, but lets its client wait for longer than FortiAuthenticator ' +
      'waits (mail[].timeout): activation codes may not be sent.',
    impact: 'codes',
    sources: ['ta-p/194050'],
    remedy: [
      'On FortiAuthenticator use "Test Connection" (System > Messaging > SMTP Servers): it decides whether it waits ' +
        'long enough. If it does, set mail[].timeout here to what it waits.',
      'Where the server lets strangers wait before it greets (postscreen, for 6 s by default), exempt the address of ' +
        'FortiAuthenticator, and that of this machine, or use the submission port.',
      'Else look for what it waits for: a reverse look-up of the client, a block list, or its own load.',
    ],
  },
  'mail-outlasts-code': {
    severity: 'warning',
    title: 'the mail server puts mail off for longer than an activation code lives',
    short: 'mail server holds codes too long',
    headline: 'the mail server {subject} puts codes off until they are void',
    summary:
      'The mail server {subject} asked this machine to come back later for {waited}, and an activation code lives ' +
      '{life}: a code that is put off like that is void when it arrives.',
    impact: 'codes',
    // One is told, the refusal or how long it lasts.
    rank: 0,
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.0.4/rest-api-solution-guide/578312'],
    remedy: [
      'Exempt FortiAuthenticator, and this machine, from greylisting on the mail server, or let them log in or use ' +
        'the submission port.',
      'Or let codes live longer: on FortiAuthenticator, the activation time-out of FortiToken Mobile provisioning ' +
        '(act_timeout in its REST API, 1 to 168 hours).',
      'How long FortiAuthenticator itself is put off depends on when it tries again: compare the time at which a ' +
        'code was sent with the headers of the message that arrived.',
    ],
  },
  'mail-tls-broken': {
    severity: 'critical',
    title: 'the mail server fails at TLS',
    short: 'mail server fails at TLS',
    headline: 'TLS on the mail server {subject} is broken',
    summary:
      'The mail server {subject} answers, but an encrypted session with a verified certificate cannot be set up.',
    impact: 'codes',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.5.0/rest-api-solution-guide/339974'],
    remedy: [
      shell('Look at the certificate and the reason.', 'openssl s_client {starttls}-connect {mailserver} </dev/null'),
      'Renew or complete the certificate of the mail server, or, if your own authority issued it, name that ' +
        'authority in mail[].caFile here and import it on FortiAuthenticator (Certificate Management > Certificate ' +
        'Authorities > Trusted CAs).',
      'If STARTTLS is not offered, a firewall (SMTP inspection, Cisco "inspect esmtp") may strip it: exempt the ' +
        'session.',
      TRY_LOCALHOST,
    ],
  },
  'mail-login-rejected': {
    severity: 'critical',
    title: 'the mail server rejects the login',
    short: 'mail server rejects the login',
    headline: 'the mail server {subject} rejects the login',
    summary: 'The mail server {subject} does not accept the user name and password.',
    impact: 'codes',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.5.0/rest-api-solution-guide/339974'],
    remedy: [
      'Check whether the account is locked, expired, or needs an application password.',
      'Set the right password on FortiAuthenticator (System > Messaging > SMTP Servers) and in the file that ' +
        'mail[].passwordFile names.',
      TRY_LOCALHOST,
    ],
  },
  'mail-recipient-rejected': {
    severity: 'critical',
    title: 'the mail server refuses the message',
    short: 'mail server rejects a recipient',
    headline: 'the mail server {subject} rejects the recipient',
    summary: 'The mail server {subject} refuses the sender or the recipient.',
    impact: 'codes',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.5.0/rest-api-solution-guide/339974'],
    remedy: [
      'Read the reply of the server in the evidence: it says what it refuses and often why.',
      'Check the sender address (System > Messaging > SMTP Servers) and that mail[].to exists.',
      TRY_LOCALHOST,
    ],
  },
  'mail-relay-denied': {
    severity: 'critical',
    title: 'the mail server does not relay',
    short: 'mail server does not relay',
    warningShort: 'mail server refuses this machine',
    headline: 'the mail server {subject} does not relay',
    warningHeadline: 'the mail server {subject} does not relay for this machine',
    summary: 'The mail server {subject} passes on no message that comes from the address of FortiAuthenticator.',
    impact: 'codes',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.5.0/rest-api-solution-guide/339974'],
    remedy: [
      'Read the reply of the server in the evidence: it says what it refuses and often why.',
      'Allow the address of FortiAuthenticator to relay, or give it a login on the mail server (System > ' +
        'Messaging > SMTP Servers).',
      TRY_LOCALHOST,
    ],
    kinds: {
      'this-machine': {
        title: 'the probe comes from another address than FortiAuthenticator',
        summary:
          'The mail server {subject} passes on no message that comes from the address of this machine. What it says ' +
          'to FortiAuthenticator, which has another address, is not known.',
        remedy: [
          'On FortiAuthenticator use "Test Connection" (System > Messaging > SMTP Servers): it decides whether ' +
            'anything is wrong.',
          'If that works, let the probe see the same: set "sourceAddress" where this machine has the address of ' +
            'FortiAuthenticator, allow the address of this machine to relay, or give the probe a login ' +
            '(mail[].user). Or leave out mail[].from and mail[].to: it ends after the login then.',
        ],
      },
    },
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type MailCause = keyof typeof MAIL_CAUSES;
