import { type CauseWords, shell } from '../../engine/model.ts';

const LOAD = 'ftm-watch loads them within 5 s.';

export const AGENT_CAUSES = {
  'store-not-writable': {
    severity: 'warning',
    title: 'ftm-watch cannot write its history',
    short: 'history cannot be written',
    headline: 'ftm-watch cannot write to the {subject}',
    summary: 'ftm-watch cannot write to the {subject}.',
    impact: 'history',
    remedy: [
      shell('Check whether the disk is full.', 'df -h', 'df -i'),
      'Check that the folder of store.path belongs to the ftm-watch user. The next round writes everything that is ' +
        'missing.',
    ],
    kinds: {
      newer: {
        title: 'a newer version of ftm-watch wrote the store',
        summary: 'A newer version of ftm-watch wrote the {subject}, so this version does not change it.',
        remedy: [
          'Install the newer version again, or restore the copy from before the upgrade. The file is next to the ' +
            'store, and its name contains the older version.',
        ],
      },
    },
  },
  'own-certificate-expires': {
    severity: 'warning',
    title: 'a certificate of ftm-watch has expired or expires within two weeks',
    short: 'own certificate expires',
    headline: 'the {subject} must be renewed',
    summary: 'The {subject} has the expiry date {date}.',
    impact: 'own-page',
    remedy: [`Write the new certificate and its key to certFile and keyFile. ${LOAD}`],
    kinds: {
      page: {
        title: 'the certificate of the status page',
        summary: 'The {subject} has the expiry date {date}.',
        remedy: [`Write the new certificate and its key to the files in web.tls. ${LOAD}`],
      },
      listener: {
        title: 'the certificate of the syslog listener',
        summary: 'The {subject} has the expiry date {date}.',
        impact: 'own-log',
        remedy: [
          `Write the new certificate and its key to the files in logs.syslog.tls. ${LOAD}`,
          'If another authority issued the new certificate, FortiAuthenticator must trust this authority.',
        ],
      },
    },
  },
  'listener-lost': {
    severity: 'warning',
    title: 'ftm-watch has lost a listener for log lines',
    short: 'a log listener is closed',
    headline: 'the {subject} is closed',
    summary: 'The {subject} is closed. ftm-watch tries to open it again every few seconds.',
    impact: 'own-log',
    remedy: [
      shell(
        'Check whether another program uses the port, and whether this machine still has the address.',
        'ss -lntup',
        'ip address',
      ),
    ],
  },
  'log-lines-lost': {
    severity: 'warning',
    title: 'log lines were lost',
    short: 'log lines were lost',
    headline: 'the {subject} is incomplete',
    summary: 'The {subject} is incomplete, because lines arrived faster than ftm-watch could read them.',
    impact: 'own-log',
    remedy: [
      shell(
        'For UDP, the kernel must allow a receive buffer of 4 MiB. If the value is lower, increase it and restart ' +
          'ftm-watch.',
        'sysctl net.core.rmem_max',
      ),
      'Use TCP or TLS instead of UDP, or send fewer kinds of log lines to ftm-watch.',
    ],
  },
  'log-sender-refused': {
    severity: 'warning',
    title: "the TLS connection of an appliance's log fails",
    short: 'log sender cannot connect',
    headline: 'the {subject} does not arrive',
    summary: 'The {subject} does not arrive, because the sender {failing}.',
    impact: 'own-log',
    remedy: [
      'If FortiAuthenticator rejects the certificate of the syslog listener, import the authority that issued it, or ' +
        'use a certificate that FortiAuthenticator accepts.',
      "If logs.syslog.tls.clientCaFile is set, FortiAuthenticator needs a valid certificate from one of that file's " +
        'authorities.',
      'On FortiAuthenticator, check that the syslog server uses TLS on this port.',
    ],
    sources: ['docs:fortiauthenticator/8.0.3/administration-guide'],
  },
  'notifications-stuck': {
    severity: 'warning',
    title: 'notifications are not delivered',
    short: 'notifications not delivered',
    headline: '{subject} are not delivered',
    summary: 'ftm-watch cannot deliver {subject}.',
    impact: 'own-messages',
    remedy: [
      shell('Send a test message by each channel. The output contains the response.', 'ftm-watch notify test{config}'),
      'On the status page, "Notifications" lists each recipient with the response. Correct or remove recipients that ' +
        'no longer exist.',
    ],
  },
  'reload-rejected': {
    severity: 'warning',
    title: 'ftm-watch rejected its configuration',
    short: 'configuration rejected',
    headline: 'the {subject} was rejected',
    summary: 'The last reload of the {subject} was rejected. The previous configuration is still active.',
    impact: 'own-configuration',
    remedy: [
      shell('List the problems, and correct them in the file.', 'ftm-watch config check{config}'),
      shell('Load the corrected file.', 'ftm-watch reload{config}'),
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;
