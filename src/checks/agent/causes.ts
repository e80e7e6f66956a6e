import { type CauseWords, shell, kindVariants } from '../../engine/model.ts';

const LOAD = 'ftm-watch loads them within 5 s.';

export const AGENT_CAUSES = {
  'store-not-writable': {
    severity: 'warning',
    name: 'the [{subject}|history] cannot be written',
    summary: 'ftm-watch cannot write to the {subject}.',
    impact: 'history',
    remedy: [
      shell('Check whether the disk is full.', 'df -h', 'df -i'),
      'Check that the folder of store.path belongs to the ftm-watch user. The next check writes everything that is ' +
        'missing.',
    ],
    variants: kindVariants({
      newer: {
        name: 'a newer version wrote the [{subject}|store]',
        summary: 'A newer version of ftm-watch wrote the {subject}, so this version does not change it.',
        remedy: [
          'Install the newer version again, or restore the copy from before the upgrade. The file is next to the ' +
            'store, and its name contains the older version.',
        ],
      },
    }),
  },
  'own-certificate-expires': {
    severity: 'warning',
    name: '[the {subject} must be renewed|a certificate of ftm-watch expires]',
    summary: 'The {subject} has the expiry date {date}.',
    impact: 'own-page',
    remedy: [`Write the new certificate and its key to certFile and keyFile. ${LOAD}`],
    variants: kindVariants({
      page: {
        name: '[the {subject} must be renewed|the page certificate expires]',
        summary: 'The {subject} has the expiry date {date}.',
        remedy: [`Write the new certificate and its key to the files in web.tls. ${LOAD}`],
      },
      listener: {
        name: '[the {subject} must be renewed|the listener certificate expires]',
        summary: 'The {subject} has the expiry date {date}.',
        impact: 'own-log',
        remedy: [
          `Write the new certificate and its key to the files in logs.syslog.tls. ${LOAD}`,
          'If another authority issued the new certificate, FortiAuthenticator must trust this authority.',
        ],
      },
    }),
  },
  'listener-lost': {
    severity: 'warning',
    name: '[the {subject}|a log listener] is closed',
    summary: 'The {subject} is closed. ftm-watch tries to open it again every few seconds.',
    impact: 'own-log',
    remedy: [
      shell(
        'Check whether another program uses the port, and whether the ftm-watch machine still has the address.',
        'ss -lntup',
        'ip address',
      ),
    ],
  },
  'log-lines-lost': {
    severity: 'warning',
    name: '[the {subject} is incomplete|log lines were lost]',
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
    name: '[the {subject} does not arrive|a log sender cannot connect]',
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
    name: '[{subject}|notifications] are not delivered',
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
    name: 'the [{subject}|configuration] was rejected',
    summary: 'The last reload of the {subject} was rejected. The previous configuration is still active.',
    impact: 'own-configuration',
    remedy: [
      shell('List the problems, and correct them in the file.', 'ftm-watch config check{config}'),
      shell('Load the corrected file.', 'ftm-watch reload{config}'),
    ],
  },
} satisfies Readonly<Record<string, CauseWords>>;
