// Written by "npm run generate" from tools/generate/prometheus: change it there.
{
  _config+:: {
    // Selects the series of ftm-watch: the job of the scrape configuration.
    ftmWatchSelector: 'job="ftm-watch"',

    // Address of the runbooks, in which %s is the page: https://ftm.example.org/runbooks/%s is the page that a
    // daemon serves. null: alerts and dashboards have no links to runbooks.
    runbookURLPattern: null,

    // Days before the certificate of a target expires.
    certificateDays: 14,
    // Days before the certificate of the status page expires.
    ownCertificateDays: 14,
    // Days in which the last token is used, at the pace of as many days before.
    tokensDays: 7,
    // Period in which errors in FortiAuthenticator's log are counted.
    pollingErrorsFor: '15m',
    // Sites that lose the same server at once: from this number on, it is an outage at the vendor.
    vendorSites: 2,
    // Share of all sites that must lose the server as well.
    vendorShare: 0.5,
    // How long the outage at the vendor lasts before its alert is sent.
    vendorFor: '0s',
    // How long no agent of a site answers before the alert is sent.
    siteUnwatchedFor: '3m',
    // How long an agent does not answer before the alert is sent.
    watcherDownFor: '2m',
    // How long an agent has no verdict before the alert is sent.
    watcherBlindFor: '10m',
    // How long agent and Prometheus have different names for a site before the alert is sent.
    siteDiffersFor: '15m',
    // How long notifications wait before the alert is sent.
    notificationsStuckFor: '20m',
    // How long the store cannot be written before the alert is sent.
    storeFor: '5m',
    // How long a configuration is refused before the alert is sent.
    reloadFor: '5m',
    // Unrecognised log lines in an hour: above this number, the alert is sent.
    unrecognisedLines: 0,
    // Refused logins in 15 minutes: above this number, the alert is sent.
    refusedLogins: 20,
  },
}
