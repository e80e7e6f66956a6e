import { type CauseWords, pem, shell, kindVariants } from '../../engine/model.ts';

const TRY_LOCALHOST =
  'Until the mail server works, FortiAuthenticator can deliver codes directly: System > Messaging > Email Services, ' +
  'SMTP server "localhost". FortiAuthenticator then needs access on TCP 25 to the recipients\' mail servers. ' +
  'Without SPF, DKIM and a reverse DNS name for its sending address, codes may be treated as spam or refused.';

const ENABLE_PASSWORD_LOGINS =
  'While Microsoft still allows it, enable password logins for this mailbox in the Microsoft 365 admin center: Users ' +
  '> Active users > Mail > Manage email apps > Authenticated SMTP. In the Exchange admin center (Settings > Mail ' +
  'flow), clear "Turn off SMTP AUTH protocol for your organization".';

const AVOID_PASSWORD_LOGINS: readonly string[] = [
  'To send without a password, create a connector in the Exchange admin center (Mail flow > Connectors) that accepts ' +
    'mail from your public IP address. Then configure the MX host of your domain (….mail.protection.outlook.com), ' +
    'port 25, without a login, on FortiAuthenticator (System > Messaging > SMTP Servers) and in mail[] in ftm-watch.',
  'Alternatively, send through a mail relay in your network. FortiAuthenticator cannot log in to a mail server with ' +
    'OAuth, but many relays can.',
];

const EXCHANGE_SOURCES: readonly string[] = [
  'Microsoft MC786329',
  'https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission',
  'ta-p/214959',
];

const IMPORT_ROOT =
  'Compare the root with the one that its authority publishes, and import it on FortiAuthenticator (Certificate ' +
  'Management > Certificate Authorities > Trusted CAs).';

const REFUSAL_CAUSES = {
  'mail-login-rejected': {
    severity: 'critical',
    name: 'the mail server[ {subject}] rejects the login',
    summary: 'The mail server {subject} rejects the login of the account that sends activation codes.',
    impact: 'codes',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.5.0/rest-api-solution-guide/339974', ...EXCHANGE_SOURCES],
    remedy: [
      'On the mail server, check whether the account (mail[].user in the ftm-watch configuration) is locked or ' +
        'expired, or needs an app password.',
      'If FortiAuthenticator uses the same account, correct the password there (System > Messaging > SMTP Servers) ' +
        'and in the file named in mail[].passwordFile.',
      TRY_LOCALHOST,
    ],
    variants: kindVariants({
      'not-offered': {
        name: 'the mail server[ {subject}] does not offer a login',
        summary: 'The mail server {subject} does not offer this login method on this connection.',
        remedy: [
          'Many servers allow logins only over TLS. Set mail[].security to "starttls" or "tls" in ftm-watch, and ' +
            'choose the same setting on FortiAuthenticator (System > Messaging > SMTP Servers).',
          "Port 25 often does not support logins. Use the server's submission port, 587 or 465.",
          'If the server should accept messages without a login, remove mail[].user in ftm-watch and the login on ' +
            'FortiAuthenticator.',
          TRY_LOCALHOST,
        ],
      },
      'passwords-disabled': {
        name: 'the mail server[ {subject}] accepts no passwords',
        summary:
          'The mail server {subject} (Exchange Online) does not accept a login with a password. The reply does not ' +
          'say that the password is wrong.',
        remedy: [
          ENABLE_PASSWORD_LOGINS,
          'If logins are still rejected, check whether security defaults, a Conditional Access policy or an ' +
            'authentication policy blocks them (Microsoft Entra admin center).',
          ...AVOID_PASSWORD_LOGINS,
          TRY_LOCALHOST,
        ],
      },
    }),
  },
  'mail-login-retiring': {
    severity: 'warning',
    name: '[the mail server {subject}|Exchange] ends password logins',
    summary:
      'The login to the mail server {subject} uses a password. Exchange Online disables such logins by default at ' +
      'the end of December 2026, so activation codes can then no longer be sent by email.',
    impact: 'none',
    sources: EXCHANGE_SOURCES,
    remedy: [ENABLE_PASSWORD_LOGINS, ...AVOID_PASSWORD_LOGINS],
  },
  'mail-settings-incomplete': {
    severity: 'critical',
    name: 'the mail settings[ for {subject}] are incomplete',
    summary: 'The mail server {subject} does not accept messages with the settings in "mail".',
    impact: 'codes',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.5.0/rest-api-solution-guide/339974'],
    remedy: [
      'Compare mail[] in ftm-watch with System > Messaging > SMTP Servers on FortiAuthenticator. With the same ' +
        "settings, FortiAuthenticator's messages are refused too.",
      TRY_LOCALHOST,
    ],
    variants: kindVariants({
      login: {
        name: 'the mail server[ {subject}] requires a login',
        summary: 'The mail server {subject} accepts messages only after a login, but none is configured in "mail".',
        remedy: [
          'If FortiAuthenticator does not log in either, its messages are refused too. Configure a user and a ' +
            'password there (System > Messaging > SMTP Servers) and in ftm-watch (mail[].user, mail[].passwordFile).',
          'If FortiAuthenticator already logs in, configure the same credentials in ftm-watch.',
          'Alternatively, let the mail server accept messages from {source} without a login.',
          TRY_LOCALHOST,
        ],
      },
      encryption: {
        name: 'the mail server[ {subject}] requires encryption',
        summary: 'The mail server {subject} requires encryption, but "security" in "mail" is "none".',
        remedy: [
          'If FortiAuthenticator does not use encryption either, its messages are refused too. Select STARTTLS there ' +
            '(System > Messaging > SMTP Servers), and set mail[].security to "starttls" in ftm-watch.',
          'If FortiAuthenticator already uses STARTTLS, set mail[].security to "starttls" in ftm-watch.',
          TRY_LOCALHOST,
        ],
      },
    }),
  },
  'mail-recipient-rejected': {
    severity: 'critical',
    name: 'the mail server[ {subject}] refuses a message',
    summary: 'The mail server {subject} refuses the sender or the recipient.',
    impact: 'codes',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.5.0/rest-api-solution-guide/339974'],
    remedy: [
      "[{quote}. This reply|Read the server's reply in the evidence. It] shows what is refused and often why.",
      'Check that the sender address (System > Messaging > SMTP Servers) is correct, that the account is allowed to ' +
        'use it, and that mail[].to exists.',
      TRY_LOCALHOST,
    ],
    variants: kindVariants({
      later: {
        name: 'the mail server[ {subject}] delays messages',
        summary: 'The mail server {subject} asks clients to send messages again later (greylisting).',
        remedy: [
          'FortiAuthenticator retries later, so codes arrive late. To avoid the delay, exempt the ' +
            'addresses of FortiAuthenticator and of ftm-watch from greylisting on the mail server.',
          'Alternatively, have both log in, or use the submission port.',
          'If the server defers messages for hours, read the reply in the evidence, because greylisting may ' +
            'not be the cause.',
        ],
      },
    }),
  },
  'mail-client-refused': {
    severity: 'critical',
    name: 'the mail server[ {subject}] refuses the client',
    summary: 'The mail server {subject} answers, but refuses the address of FortiAuthenticator.',
    impact: 'codes',
    sources: ['ta-p/194050', 'ta-p/199344'],
    remedy: [
      "[{quote}. This reply|Read the server's reply in the evidence, which] often explains why the address is refused.",
      'If the PTR record is missing, create one for the address that the mail server sees, and make sure that ' +
        'the name in it resolves to the same address.',
      'If the address is on a block list, have it removed. Otherwise, allow the address of FortiAuthenticator on the ' +
        'mail server.',
      TRY_LOCALHOST,
    ],
    variants: kindVariants({
      'this-machine': {
        name: 'the mail server[ {subject}] refuses ftm-watch',
        summary:
          'The mail server {subject} answers, but refuses the address of ftm-watch. It is unknown whether the ' +
          "server also refuses FortiAuthenticator's address.",
        impact: 'codes-at-risk',
        remedy: [
          'On FortiAuthenticator, use "Test Connection" (System > Messaging > SMTP Servers) to find out whether ' +
            'anything is wrong.',
          'If the test works, make sure that the mail server accepts ftm-watch too. Create a PTR record for its ' +
            'address, have the address removed from the block list named in the reply, or allow it on the mail ' +
            'server. If the ftm-watch machine also has the address of FortiAuthenticator, set "sourceAddress" instead.',
        ],
      },
      'turned-away': {
        name: 'the mail server[ {subject}] refuses the session',
        summary:
          'The mail server {subject} answers, but refuses the session. It refuses either the address of ftm-watch ' +
          'or all clients.',
        remedy: [
          "[{quote}. Search|Read the server's reply in the evidence, and search] the server's log for {source}.",
          'On FortiAuthenticator, use "Test Connection" (System > Messaging > SMTP Servers). If the test works, the ' +
            'mail server refuses only ftm-watch. Allow its address there.',
          'If the test fails too, the mail server refuses all clients or both addresses. Make sure that its SMTP ' +
            'service is enabled on this port.',
          TRY_LOCALHOST,
        ],
      },
    }),
  },
  'mail-relay-denied': {
    severity: 'critical',
    name: 'the mail server[ {subject}] does not relay',
    summary: 'The mail server {subject} does not relay messages from the address of FortiAuthenticator.',
    impact: 'codes',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.5.0/rest-api-solution-guide/339974'],
    remedy: [
      "[{quote}. This reply|Read the server's reply in the evidence. It] shows what is refused and often why.",
      'Allow the address of FortiAuthenticator to relay, or configure a login for the mail server on ' +
        'FortiAuthenticator (System > Messaging > SMTP Servers).',
      TRY_LOCALHOST,
    ],
    variants: kindVariants({
      'this-machine': {
        name: 'ftm-watch cannot relay mail[ at {subject}]',
        summary:
          'The mail server {subject} does not relay messages from the address of ftm-watch. It is unknown ' +
          'whether the server relays for FortiAuthenticator, which has a different address.',
        impact: 'codes-at-risk',
        remedy: [
          'On FortiAuthenticator, use "Test Connection" (System > Messaging > SMTP Servers) to find out whether ' +
            'anything is wrong.',
          'If the test works, make sure that the test of ftm-watch is accepted too. Set "sourceAddress" if the ' +
            'ftm-watch machine also has the address of FortiAuthenticator, allow the address of ftm-watch to relay, ' +
            'or configure a login (mail[].user). Alternatively, remove mail[].from and mail[].to, so that the ' +
            'test stops after the login.',
        ],
      },
    }),
  },
} satisfies Readonly<Record<string, CauseWords>>;

export const MAIL_CAUSES = {
  'mail-unreachable': {
    severity: 'critical',
    name: 'the mail server[ {subject}] is unreachable',
    summary: 'The mail server {subject} does not respond to SMTP.',
    impact: 'codes',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.5.0/rest-api-solution-guide/339974'],
    remedy: [
      shell(
        'Test manually. A line that begins with 220 should appear. If the server uses TLS from the start, the ' +
          'connection opens but nothing appears.',
        'nc -v {mailhost} {mailport}',
      ),
      'If the name does not resolve, correct it in mail[] and on FortiAuthenticator, or repair its DNS record.',
      'Check that the mail server is running and that no firewall blocks the port from {source}.',
      'On FortiAuthenticator, check System > Messaging > SMTP Servers and use "Test Connection".',
      TRY_LOCALHOST,
    ],
    variants: kindVariants({
      silent: {
        name: 'the mail server[ {subject}] sends no greeting',
        summary: 'The port of the mail server {subject} is open, but the server sends no greeting.',
        remedy: [
          'If this port uses TLS from the start, like 465, both sides are waiting for each other. Set ' +
            'mail[].security to "tls" in ftm-watch, and choose the same setting on FortiAuthenticator (System > ' +
            'Messaging > SMTP Servers).',
          shell('Otherwise, wait for a line that begins with 220.', 'nc -v {mailhost} {mailport}'),
          "If no line appears, check the mail server's load, and whether a firewall with SMTP inspection on the path " +
            'is holding back the greeting.',
          TRY_LOCALHOST,
        ],
      },
    }),
  },
  'mail-stops-answering': {
    severity: 'critical',
    name: 'the mail server[ {subject}] stops answering',
    summary: 'The mail server {subject} sends a greeting, but stops answering before it accepts a message.',
    impact: 'codes',
    sources: ['ta-p/194050'],
    remedy: [
      "The evidence shows which command was not answered. Check the mail server's log to see what it was waiting for.",
      'If the login was not answered, the directory or database with the passwords is slow or down. If MAIL FROM or ' +
        'RCPT TO was not answered, the cause is a DNS lookup, a policy service or a filter.',
      'If the log does not show that command, a firewall with SMTP inspection on the path is holding it back. Exempt ' +
        'sessions from {source}.',
      TRY_LOCALHOST,
    ],
  },
  'mail-unavailable': {
    severity: 'critical',
    name: 'the mail server[ {subject}] fails temporarily',
    summary: 'The mail server {subject} answers, but reports that it is temporarily unavailable.',
    impact: 'codes',
    sources: ['ta-p/194050'],
    remedy: [
      "[{quote}.|Read the server's reply in the evidence.] If the server reports too many connections or a " +
        'restart, wait a few minutes.',
      'If the failure persists, check the load and disk space of the mail server, and the directory or database ' +
        'that it checks passwords against. A temporary login failure (454) does not mean that the password is ' +
        'wrong.',
      TRY_LOCALHOST,
    ],
  },
  'mail-slow': {
    severity: 'warning',
    name: 'the mail server[ {subject}] is slow',
    summary:
      'The mail server {subject} accepts messages, but takes longer than FortiAuthenticator waits ' +
      '(mail[].timeout), so activation codes may not be sent.',
    impact: 'codes',
    sources: ['ta-p/194050'],
    remedy: [
      'On FortiAuthenticator, use "Test Connection" (System > Messaging > SMTP Servers) to find out whether the ' +
        'timeout is long enough. If so, set mail[].timeout to the same value.',
      'If the server delays its greeting to unknown clients (postscreen: 6 s by default), exempt the addresses of ' +
        'FortiAuthenticator and of ftm-watch, or use the submission port.',
      'Otherwise, find the cause of the delay, such as a reverse lookup of the client, a block list, or the ' +
        "server's load.",
    ],
  },
  'mail-outlasts-code': {
    severity: 'warning',
    name: 'codes expire at the mail server[ {subject}]',
    summary:
      'The mail server {subject} deferred mail from ftm-watch for {waited}, but activation codes are valid ' +
      'for only {life}. A code delayed for that long has expired by the time it arrives.',
    impact: 'codes',
    // The same rank as the refusal, because either the refusal or its duration is reported, never both.
    rank: 0,
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.0.4/rest-api-solution-guide/578312'],
    remedy: [
      'Exempt FortiAuthenticator and ftm-watch from greylisting on the mail server, or let them log in or use the ' +
        'submission port.',
      'Alternatively, make codes valid for longer. On FortiAuthenticator, increase the activation timeout of ' +
        'FortiToken Mobile provisioning (act_timeout in its REST API, 1 to 168 hours).',
      'The actual delay for FortiAuthenticator depends on when it retries. To measure it, compare the time at ' +
        'which a code was sent with the headers of the message that arrived.',
    ],
  },
  'mail-tls-broken': {
    severity: 'critical',
    name: 'TLS with the mail server[ {subject}] fails',
    summary:
      'The mail server {subject} answers, but an encrypted session with a verified certificate cannot be set up.',
    impact: 'codes',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.5.0/rest-api-solution-guide/339974'],
    remedy: [
      shell(
        'Show the certificate and why it is rejected.',
        'openssl s_client {starttls}-connect {mailserver} </dev/null',
      ),
      "Renew the mail server's certificate or complete its chain. If your own authority issued it, set mail[].caFile " +
        'in ftm-watch to that authority, and import the authority on FortiAuthenticator (Certificate Management > ' +
        'Certificate Authorities > Trusted CAs).',
      'If STARTTLS is not offered, a firewall (SMTP inspection, Cisco "inspect esmtp") may remove it. ' +
        'Exempt the session.',
      TRY_LOCALHOST,
    ],
    variants: kindVariants({
      'missing-root': {
        name: 'FortiAuthenticator lacks the root[ authority of {subject}]',
        summary:
          'FortiAuthenticator does not trust the certificate of the mail server {subject}. The certificate leads to ' +
          '{root}, but not to an authority in mail[].applianceCaFile.',
        remedy: [
          shell(
            'Compare the issuer[ "{issuer}"|] with the issuer of the certificate on the mail server itself. If they ' +
              'differ, a device on the path inspects SMTP. Exempt sessions from {source} to {subject}.',
            'openssl s_client {starttls}-connect {mailserver} </dev/null',
          ),
          pem(IMPORT_ROOT, '{rootpem}'),
          'Add the root to the file in mail[].applianceCaFile. If FortiAuthenticator already trusts the root, this ' +
            'step is enough.',
          'If the certificate leads to a root that is already in the file, the mail server does not send its ' +
            'intermediate certificate. Complete its chain.',
          TRY_LOCALHOST,
        ],
      },
      untrusted: {
        name: 'the mail certificate[ of {subject}] is not trusted',
        summary:
          'The mail server {subject} presents a certificate issued by "{issuer}", which ftm-watch does not ' +
          'trust. Either a device on the path inspects mail, or the authority is your own.',
        remedy: [
          shell(
            'Compare the issuer[ "{issuer}"|] with the issuer of the certificate on the mail server itself.',
            'openssl s_client {starttls}-connect {mailserver} </dev/null',
          ),
          'If they differ, a device on the path inspects SMTP. Exempt sessions from {source} to {subject}. ' +
            'FortiAuthenticator also rejects that certificate, unless it trusts the device.',
          'If "{issuer}" is your own authority, configure it in mail[].caFile, and import it on ' +
            'FortiAuthenticator (Certificate Management > Certificate Authorities > Trusted CAs).',
          'If "{issuer}" is a public authority, the mail server does not send the intermediate certificate. Complete ' +
            'its chain.',
          TRY_LOCALHOST,
        ],
      },
    }),
  },
  'mail-authority-changed': {
    severity: 'warning',
    name: 'the mail server [{subject} has a new root authority|has a new root]',
    summary:
      'The certificate of the mail server {subject} now leads to the root authority "{root}". Unless ' +
      'FortiAuthenticator already trusts this root, it can no longer send activation codes through this server.',
    impact: 'codes-at-risk',
    isEvent: true,
    sources: ['ta-p/214959'],
    remedy: [
      'On FortiAuthenticator, use "Test Connection" (System > Messaging > SMTP Servers). If the test works, ' +
        'FortiAuthenticator already trusts the root.',
      pem(IMPORT_ROOT, '{rootpem}'),
      shell('The root can be printed at any time.', 'ftm-watch check{config} --roots'),
      'Keep the former root on FortiAuthenticator, because servers behind one name may alternate between two roots.',
      'Export the trusted authorities from FortiAuthenticator to a file, and set mail[].applianceCaFile to it. ' +
        'ftm-watch then reports whether FortiAuthenticator trusts the certificate, instead of changes.',
    ],
  },
  ...REFUSAL_CAUSES,
} satisfies Readonly<Record<string, CauseWords>>;
