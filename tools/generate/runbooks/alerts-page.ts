import { list, section, text } from '../../../src/document/document.ts';
import type { Page } from './pages.ts';

/** For Prometheus alerts without a specific cause. Each section is named after an alert. */
export const ALERTS: Page = {
  title: 'Prometheus alerts',
  intro: [
    text(
      '`FtmActivationBroken`, `FtmActivationAtRisk` and `FtmAgentTrouble` have the label `cause`, and each cause has ',
      'its own page.',
    ),
  ],
  sections: [
    section(
      'FtmPollingErrors',
      text(
        'FortiAuthenticator logs FortiToken Mobile errors. If ftm-watch finds the cause, Alertmanager suppresses this ',
        'alert. Otherwise, the agent detects no fault on the path. Open the status page, and see ',
        { cause: 'polling-failing' },
        '.',
      ),
    ),
    section(
      'FtmCertificateExpires',
      list(
        [
          '`ftm_tls_certificate_not_after_timestamp_seconds` shows the target. If it is the licence server, Fortinet ',
          'renews the certificate: wait, and open a ticket a week before it expires. If it is one of your ',
          'own servers in `services`, renew its certificate.',
        ],
        [
          'If other sites see a different expiry date, this site sees a different certificate: see ',
          { cause: 'tls-intercepted' },
          '.',
        ],
      ),
    ),
    section(
      'FtmTokensRunningOut',
      text(
        'At the rate of the last 7 days, the last free token will be used within a week. Delete the tokens of users ',
        'who have left, or order more: see ',
        { cause: 'tokens-running-out' },
        '.',
      ),
    ),
    section(
      'FtmVendorOutage',
      text(
        'Two or more sites, and at least half of all sites, lost the same server at the same time, but still ',
        'have internet access. The label `subject` identifies the server.',
      ),
      list(
        [
          'Check whether the sites share a firewall or proxy. If they do, that device is at fault: see ',
          { cause: 'egress-blocked' },
          '.',
        ],
        ['Open a ticket with Fortinet TAC. To collect the evidence, run `ftm-watch report` on one of the agents.'],
        [
          'Do not change anything at the sites. Alertmanager suppresses their alerts about this server until the ' +
            'outage ends.',
        ],
      ),
    ),
    section(
      'FtmSiteUnwatched',
      text(
        'No agent at the site responds to Prometheus, so a fault there would go unnoticed. First, connect to the ',
        'site a different way. Then follow the steps under FtmWatcherDown. Alerts that were already active remain ',
        'active for an hour.',
      ),
    ),
    section(
      'FtmSiteDiffers',
      text(
        "`site` in the agent's configuration differs from the label `site` that Prometheus sets. ",
        'Alertmanager therefore sends alerts under both names. Use the same name in both places. By default, the ',
        'agent uses the host name.',
      ),
    ),
    section(
      'FtmWatcherDown',
      list(
        [
          'On the machine, run `systemctl status ftm-watch` and `journalctl -u ftm-watch -n 50`. The last line shows ',
          'why ftm-watch stopped.',
        ],
        [
          'If ftm-watch is running, check that Prometheus can reach the port, and that `web.tls` and `web.users` ',
          'match the scrape configuration.',
        ],
      ),
    ),
    section(
      'FtmWatcherBlind',
      text(
        'The agent responds, but either its verdict is unknown or its rounds have stopped. Activation may still work. ',
        "If the alert has the label `cause`, see that cause's page.",
      ),
      list(
        ['On the machine, `ftm-watch check` shows why each precondition is unknown.'],
        ['If the rounds have stopped, read `journalctl -u ftm-watch -n 50`, then run `systemctl restart ftm-watch`.'],
      ),
    ),
    section(
      'FtmLogLinesUnrecognised',
      text(
        'FortiAuthenticator logged lines about FortiToken Mobile that match no signature, perhaps because of an ',
        'update. `ftm-watch replay FILE` shows these lines in a saved log. Add your own signatures to ',
        '`logs.signatureFiles` (',
        { document: 'logs.md' },
        ').',
      ),
    ),
    section(
      'FtmLoginsRefused',
      text(
        'Many requests had an incorrect or missing password, token or certificate. The log contains their source ',
        'addresses. The usual cause is a scraper with an old password.',
      ),
    ),
  ],
};
