import type { CauseWords } from '../../engine/words/cause-words.ts';
import { shell } from '../../engine/words/step.ts';
import { REFUSAL_CAUSES, TRY_LOCALHOST } from './refusal-causes.ts';

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
    kinds: {
      silent: {
        title: 'the port opens and no greeting comes',
        summary: 'The port of the mail server {subject} opens, but the server says nothing.',
        remedy: [
          'If this port speaks TLS from the start, as 465 does, set mail[].security to "tls" here, and the same on ' +
            'FortiAuthenticator (System > Messaging > SMTP Servers): both sides wait for each other now.',
          shell('Otherwise wait for a line that begins with 220.', 'nc -v {mailhost} {mailport}'),
          'If none comes, look at the load of the mail server, and for a firewall with SMTP inspection in between that ' +
            'holds the greeting back.',
          TRY_LOCALHOST,
        ],
      },
    },
  },
  'mail-stops-answering': {
    severity: 'critical',
    title: 'the mail server stops answering',
    short: 'mail server stops answering',
    headline: 'the mail server {subject} stops answering',
    summary: 'The mail server {subject} greets, but stops answering before it accepts a message.',
    impact: 'codes',
    sources: ['ta-p/194050'],
    remedy: [
      'The evidence says which command it did not answer. Look in the log of the mail server for what it waits for at ' +
        'that time.',
      'The login: the directory or database that it checks passwords against is slow or down. MAIL FROM or RCPT TO: a ' +
        'DNS look-up, a policy service or a filter.',
      'If its log does not show that command, a firewall with SMTP inspection in between holds it back: exempt the ' +
        'session of {source} from it.',
      TRY_LOCALHOST,
    ],
  },
  'mail-unavailable': {
    severity: 'critical',
    title: 'the mail server is unavailable for now',
    short: 'mail server unavailable for now',
    headline: 'the mail server {subject} is unavailable for now',
    summary: 'The mail server {subject} answers, but says that it cannot take messages for now.',
    impact: 'codes',
    sources: ['ta-p/194050'],
    remedy: [
      'Read the reply of the server in the evidence. Too many connections or a restart end without a repair: wait some ' +
        'minutes.',
      'If it lasts, check the mail server: its load, its disk space, and the directory or database that it checks ' +
        'passwords against. A temporary failure of the login (454) says nothing about the password.',
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
    kinds: {
      untrusted: {
        title: 'its authority is not trusted here',
        summary:
          'The mail server {subject} shows a certificate that is issued by "{issuer}", which is not trusted here: a ' +
          'device that inspects mail in between, or an authority of your own.',
        remedy: [
          shell(
            'Compare the issuer with the one that the mail server itself has.',
            'openssl s_client {starttls}-connect {mailserver} </dev/null',
          ),
          'If they differ, a device in between inspects SMTP: exempt the session of {source} to {subject} from it. ' +
            'FortiAuthenticator refuses that certificate as well, unless it trusts the device.',
          'If "{issuer}" is your own authority, name it in mail[].caFile here and import it on FortiAuthenticator ' +
            '(Certificate Management > Certificate Authorities > Trusted CAs).',
          'If "{issuer}" is a public authority, the mail server leaves out its intermediate certificate: complete its ' +
            'chain.',
          TRY_LOCALHOST,
        ],
      },
    },
  },
  ...REFUSAL_CAUSES,
} satisfies Readonly<Record<string, CauseWords>>;

export type MailCause = keyof typeof MAIL_CAUSES;
