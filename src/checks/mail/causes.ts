import { type CauseWords, shell } from '../../engine/model.ts';

const TRY_LOCALHOST =
  'Until the mail server works, FortiAuthenticator can deliver codes directly: System > Messaging > Email Services, ' +
  'SMTP server "localhost". FortiAuthenticator then needs TCP 25 to the mail servers of the recipients. Without SPF, ' +
  'DKIM and a reverse DNS name for its sending address, codes end up as spam or are refused.';

/** Causes for a mail server that answers with a refusal. */
const REFUSAL_CAUSES = {
  'mail-login-rejected': {
    severity: 'critical',
    title: 'the mail server rejects the login',
    short: 'mail server rejects the login',
    headline: 'the mail server {subject} rejects the login',
    summary: 'The mail server {subject} rejects the login of the account that sends activation codes.',
    impact: 'codes',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.5.0/rest-api-solution-guide/339974'],
    remedy: [
      'On the mail server, check whether the account (mail[].user in the configuration of ftm-watch) is locked or ' +
        'expired, or needs an application password.',
      'If FortiAuthenticator uses the same account, set the right password there (System > Messaging > SMTP ' +
        'Servers), and in the file in mail[].passwordFile.',
      TRY_LOCALHOST,
    ],
    kinds: {
      'not-offered': {
        title: 'no login is offered',
        summary: 'The mail server {subject} does not offer this login on this connection.',
        remedy: [
          'Many servers offer a login only under TLS: set mail[].security to "starttls" or "tls" here, and the same ' +
            'on FortiAuthenticator (System > Messaging > SMTP Servers).',
          'Port 25 often has no login at all: use the submission port of the server, 587 or 465.',
          'If the server is to accept messages without a login, remove mail[].user here and the login on ' +
            'FortiAuthenticator.',
          TRY_LOCALHOST,
        ],
      },
    },
  },
  'mail-settings-incomplete': {
    severity: 'critical',
    title: 'the mail server demands a login or encryption',
    short: 'mail server demands login or TLS',
    headline: 'the mail server {subject} demands a login or encryption',
    summary: 'The mail server {subject} accepts no message with the settings in "mail".',
    impact: 'codes',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.5.0/rest-api-solution-guide/339974'],
    remedy: [
      'Compare mail[] here with System > Messaging > SMTP Servers on FortiAuthenticator: with the same settings it ' +
        'fails in the same way.',
      TRY_LOCALHOST,
    ],
    kinds: {
      login: {
        title: 'a login is missing',
        summary: 'The mail server {subject} accepts messages only after a login, and "mail" has none.',
        remedy: [
          'If FortiAuthenticator does not log in either, it fails in the same way: enter a user and a password there ' +
            '(System > Messaging > SMTP Servers) and here (mail[].user, mail[].passwordFile).',
          'If FortiAuthenticator logs in already, give the same login here.',
          'Or let the mail server accept messages from {source} without a login.',
          TRY_LOCALHOST,
        ],
      },
      encryption: {
        title: 'encryption is missing',
        summary: 'The mail server {subject} accepts nothing without encryption, and "mail" has security "none".',
        remedy: [
          'If FortiAuthenticator sends without encryption too, it fails in the same way: set STARTTLS there (System ' +
            '> Messaging > SMTP Servers), and mail[].security to "starttls" here.',
          'If FortiAuthenticator uses STARTTLS already, set the same here.',
          TRY_LOCALHOST,
        ],
      },
    },
  },
  'mail-recipient-rejected': {
    severity: 'critical',
    title: 'the mail server refuses the message',
    short: 'mail server rejects a recipient',
    warningShort: 'mail server refuses a message',
    headline: 'the mail server {subject} rejects the recipient',
    warningHeadline: 'the mail server {subject} refuses a message',
    summary: 'The mail server {subject} refuses the sender or the recipient.',
    impact: 'codes',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.5.0/rest-api-solution-guide/339974'],
    remedy: [
      'Read the reply of the server in the evidence: it says what it refuses and often why.',
      'Check the sender address (System > Messaging > SMTP Servers), that the user who logs in may send as this ' +
        'sender, and that mail[].to exists.',
      TRY_LOCALHOST,
    ],
    kinds: {
      later: {
        title: 'the server asks to come back later',
        summary: 'The mail server {subject} asks to send the message again later (greylisting).',
        remedy: [
          'FortiAuthenticator sends again, and codes arrive late. To have them arrive at once, exempt the address of ' +
            'FortiAuthenticator, and that of this machine, from greylisting on the mail server.',
          'Or let both log in, or use the submission port.',
          'If it lasts for hours, read the reply in the evidence: it may be another temporary refusal.',
        ],
      },
    },
  },
  'mail-client-refused': {
    severity: 'critical',
    title: 'the mail server refuses the client',
    short: 'mail server refuses the client',
    warningShort: 'mail server refuses this machine',
    headline: 'the mail server {subject} refuses the client',
    warningHeadline: 'the mail server {subject} refuses this machine',
    summary: 'The mail server {subject} answers, but refuses the address of FortiAuthenticator.',
    impact: 'codes',
    sources: ['ta-p/194050', 'ta-p/199344'],
    remedy: [
      'Read the reply of the server in the evidence: it often says why it refuses the address.',
      'A missing reverse name: give the address that the mail server sees a PTR record, and that name the same ' +
        'address.',
      'A block list: have the address removed from it. Otherwise allow the address of FortiAuthenticator on the mail ' +
        'server.',
      TRY_LOCALHOST,
    ],
    kinds: {
      'this-machine': {
        title: 'this machine has another address than FortiAuthenticator',
        summary:
          'The mail server {subject} answers, but refuses the address of this machine. Whether it refuses that of ' +
          'FortiAuthenticator is not known.',
        remedy: [
          'On FortiAuthenticator use "Test Connection" (System > Messaging > SMTP Servers): it decides whether ' +
            'anything is wrong.',
          'If that works, let this machine see the same: give its address a reverse name, take it off the block list ' +
            'that the reply names, or allow it on the mail server. Or set "sourceAddress" if this machine has the ' +
            'address of FortiAuthenticator.',
        ],
      },
      'turned-away': {
        title: 'it does not say why',
        summary:
          'The mail server {subject} answers, but refuses the session: it refuses the address of this machine, or ' +
          'serves nobody.',
        remedy: [
          'Read the reply of the server in the evidence, and look in its log for {source}.',
          'On FortiAuthenticator use "Test Connection" (System > Messaging > SMTP Servers): if that works, the mail ' +
            'server refuses this machine alone. Allow its address there.',
          'If it fails too, the mail server serves nobody or neither address: see that its SMTP service is switched ' +
            'on for this port.',
          TRY_LOCALHOST,
        ],
      },
    },
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

/** Causes on the path of the activation codes. */
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
          'If none comes, look at the load of the mail server, and for a firewall with SMTP inspection in between ' +
            'that holds the greeting back.',
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
      'The evidence says which command it did not answer. Look in the log of the mail server for what it waits for ' +
        'at that time.',
      'The login: the directory or database that it checks passwords against is slow or down. MAIL FROM or RCPT TO: ' +
        'a DNS look-up, a policy service or a filter.',
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
      'Read the reply of the server in the evidence. Too many connections or a restart end without a repair: wait ' +
        'some minutes.',
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
    // Only one is reported: the refusal, or its duration.
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
          'If "{issuer}" is a public authority, the mail server leaves out its intermediate certificate: complete ' +
            'its chain.',
          TRY_LOCALHOST,
        ],
      },
    },
  },
  ...REFUSAL_CAUSES,
} satisfies Readonly<Record<string, CauseWords>>;

export type MailCause = keyof typeof MAIL_CAUSES;
