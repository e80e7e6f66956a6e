import type { CauseWords } from '../../engine/words/cause-words.ts';

export const TRY_LOCALHOST =
  'Until the mail server works, FortiAuthenticator can deliver codes directly: System > Messaging > Email Services, ' +
  'SMTP server "localhost". FortiAuthenticator then needs TCP 25 to the mail servers of the recipients. Without SPF, ' +
  'DKIM and a reverse DNS name for its sending address, codes end up as spam or are refused.';

/** Causes of a mail server that answers, and refuses. */
export const REFUSAL_CAUSES = {
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
          'Many servers offer a login only under TLS: set mail[].security to "starttls" or "tls" here, and the same on ' +
            'FortiAuthenticator (System > Messaging > SMTP Servers).',
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
          'If FortiAuthenticator sends without encryption too, it fails in the same way: set STARTTLS there (System > ' +
            'Messaging > SMTP Servers), and mail[].security to "starttls" here.',
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
      'Check the sender address (System > Messaging > SMTP Servers), that the user who logs in may send as this sender, ' +
        'and that mail[].to exists.',
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
      'A missing reverse name: give the address that the mail server sees a PTR record, and that name the same address.',
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
          'If it fails too, the mail server serves nobody or neither address: see that its SMTP service is switched on ' +
            'for this port.',
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
