import type { Part, Section, Word } from './document.ts';
import type { Runbook } from './runbook.ts';

/** What to do about the alerts of Prometheus that are not about one cause. Each section is named after its alert. */
export const ALERT_RUNBOOK: Pick<Runbook, 'title' | 'intro' | 'sections'> = {
  title: 'Prometheus alerts',
  intro: [
    text(
      'What the shipped alerts without a cause mean. ',
      code('FtmActivationBroken'),
      ' and ',
      code('FtmActivationAtRisk'),
      ' have the label ',
      code('cause'),
      ': each cause has its own page.',
    ),
  ],
  sections: [
    section(
      'FtmPollingErrors',
      text(
        'FortiAuthenticator logs FortiToken Mobile errors. Errors during a maintenance window do not count. If ',
        'ftm-watch finds the cause, an alert for the cause is sent as well, and Alertmanager suppresses this one.',
      ),
      text(
        'If this alert is sent alone, the agent detects no fault on the path although FortiAuthenticator does. Open ' +
          'the ',
        'status page, and the page on ',
        { cause: 'polling-failing' },
        '.',
      ),
    ),
    section(
      'FtmCertificateExpires',
      list(
        [
          code('ftm_tls_certificate_not_after_timestamp_seconds'),
          ' shows the target. Fortinet renews the certificate of the licence server: wait, and open a ticket a week ',
          'before it expires. If the target is your own mail server or appliance, renew its certificate.',
        ],
        [
          'If other sites see a different expiry date, this site sees a different certificate: see ',
          { cause: 'tls-intercepted' },
          '.',
        ],
      ),
    ),
    section(
      'FtmOwnCertificateExpires',
      text(
        'The certificate in ',
        code('web.tls.certFile'),
        ' expires within two weeks. Write a new certificate to the file. It is loaded within a minute, or immediately ',
        'by ',
        code('ftm-watch reload'),
        '.',
      ),
    ),
    section(
      'FtmTokensRunningOut',
      text(
        'At the pace of the last 7 days, the last free token is used within a week. Delete tokens of users who left, ',
        'or order more: see ',
        { cause: 'tokens-running-out' },
        '.',
      ),
    ),
    section(
      'FtmVendorOutage',
      text(
        'Two or more sites, and at least half of all sites, lost the same server at the same time while their internet ',
        'access works. The label ',
        code('subject'),
        ' contains the server. Sites in a maintenance window do not count.',
      ),
      list(
        [
          'Check whether the sites share a firewall or proxy. If they do, the fault is there: see ',
          { cause: 'egress-blocked' },
          '.',
        ],
        ['Open a ticket with Fortinet TAC. ', code('ftm-watch report'), ' on one of the agents collects the evidence.'],
        [
          'Change nothing at the sites. Alertmanager suppresses the alerts of the sites about this server until the ',
          'outage has ended.',
        ],
      ),
    ),
    section(
      'FtmSiteUnwatched',
      text(
        'No agent of the site answers Prometheus, so nobody would notice a fault there. First reach the site by other ',
        'means. Then follow the steps of FtmWatcherDown. Alerts about causes that were active when the last agent ',
        'stopped answering stay active for another hour, because nobody has seen them end.',
      ),
    ),
    section(
      'FtmSiteDiffers',
      text(
        code('site'),
        ' in the configuration of the agent is not the label ',
        code('site'),
        ' with which Prometheus scrapes it. So Alertmanager does not recognise the alerts of the agent and of ',
        'Prometheus as the same, and sends both. Give both the same name. Without ',
        code('site'),
        ', the agent uses the host name of its machine.',
      ),
    ),
    section(
      'FtmWatcherDown',
      list(
        [
          'On the machine, run ',
          code('systemctl status ftm-watch'),
          ' and ',
          code('journalctl -u ftm-watch -n 50'),
          '. The last line says why it ended.',
        ],
        [
          'If it is running: can Prometheus reach the port, and do ',
          code('web.tls'),
          ' and ',
          code('web.users'),
          ' match the scrape configuration?',
        ],
      ),
    ),
    section(
      'FtmWatcherBlind',
      text(
        'The agent answers, but its verdict is unknown, or its rounds have stopped. With the label ',
        code('cause'),
        ', the agent does not see a part, such as a FortiAuthenticator. Activation may still work, and the page of the ',
        'cause has the steps.',
      ),
      list(
        [code('ftm-watch check'), ' on the machine prints why each precondition is unknown.'],
        [
          'If the rounds have stopped, read ',
          code('journalctl -u ftm-watch -n 50'),
          ', then run ',
          code('systemctl restart ftm-watch'),
          '.',
        ],
      ),
    ),
    section(
      'FtmNotificationsStuck',
      text(
        'Messages have been waiting for more than 15 minutes, or the hourly limit (',
        code('notify.policy.maxPerHour'),
        ') delays some: the log and the status page show which. ',
        code('ftm-watch notify test'),
        ' tries each channel and prints the answer.',
      ),
      text(
        'For ',
        code('alertmanager'),
        ', the number is that of instances that have not received the latest state, even if it is only the end of an ',
        'alert. Remove an instance that no longer exists from ',
        code('notify.alertmanager.urls'),
        '.',
      ),
    ),
    section(
      'FtmNotificationsGivenUp',
      text(
        'A notification was not delivered. ',
        code('rejected'),
        ': every mail server in ',
        code('notify.email.servers'),
        ' refused the recipient, or the web hook refused the request. ',
        code('expired'),
        ': no server accepted the message for five days. "Notifications" on the status page shows the recipient and ',
        'the answer of each server.',
      ),
      list(
        [code('ftm-watch notify test'), ' shows whether the answer is still the same.'],
        [
          '"relay not permitted", "not in my list of allowed rcpthosts" and similar answers are about the server: allow ',
          'it to relay for this machine, or configure another server.',
        ],
        ['"User unknown" refers to the mailbox.'],
      ),
      text(
        'While the incident is open, the newest message about it is tried again at most every five minutes. The alert ',
        'ends an hour after the last failed attempt.',
      ),
    ),
    section(
      'FtmStoreNotWritable',
      text(
        'The disk is full, or the folder of ',
        code('store.path'),
        ' does not belong to the user of ftm-watch. Run ',
        code('df -h'),
        ' and ',
        code('ls -ld'),
        ' on that folder.',
      ),
    ),
    section(
      'FtmConfigReloadFailed',
      text(
        code('ftm-watch config check'),
        ' prints each problem with its line. Correct the file and run ',
        code('systemctl reload ftm-watch'),
        '.',
      ),
    ),
    section(
      'FtmStoreNewer',
      text(
        'A newer ftm-watch wrote the store, and this version does not change it. It monitors and sends alerts, but ',
        'after a restart it does not know which notifications it has sent. Install the newer version again, or see ',
        { document: 'install.md' },
        '.',
      ),
    ),
    section(
      'FtmLogLinesUnrecognised',
      text(
        'FortiAuthenticator logged lines about FortiToken Mobile that match no signature, perhaps since an update. ',
        code('ftm-watch replay FILE'),
        ' reads its log and shows them. Add your own signatures to ',
        code('logs.signatureFiles'),
        ' (',
        { document: 'logs.md' },
        ').',
      ),
    ),
    section(
      'FtmLoginsRefused',
      text(
        'Many requests had a wrong password, token or certificate, or none. The log contains the address. The usual ',
        'reason is a scraper with an old password.',
      ),
    ),
  ],
};

function section(title: string, ...parts: readonly Part[]): Section {
  return { title, parts };
}

function text(...words: readonly Word[]): Part {
  return { kind: 'text', lines: [words] };
}

function list(...lines: readonly (readonly Word[])[]): Part {
  return { kind: 'list', lines };
}

function code(name: string): Word {
  return { code: name };
}
