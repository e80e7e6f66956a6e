// Written by "npm run generate" from tools/generate/prometheus: change it there.
{
  _config+:: {
    // Selects the series of ftm-watch: the job of the scrape configuration.
    ftmWatchSelector: 'job="ftm-watch"',

    // Address of the runbooks, in which %s is the page: https://ftm.example.org/runbooks/%s is the page that a
    // daemon serves. null: alerts and dashboards have no links to runbooks.
    runbookURLPattern: null,

    // Days before a certificate expires: that of a target, and that of the status page.
    certificateDays: 14,
    ownCertificateDays: 14,
    // The last token is used within this many days, at the pace of the same number of days.
    tokensDays: 7,
    // How long an error in FortiAuthenticator's log counts.
    pollingErrorsFor: '15m',
    // An outage at the vendor: at least this many sites, and at least this share of all sites, lose the same server.
    vendorSites: 2,
    vendorShare: 0.5,
    // How long a state lasts before its alert is sent.
    vendorFor: '0s',
    siteUnwatchedFor: '3m',
    watcherDownFor: '2m',
    watcherBlindFor: '10m',
    siteDiffersFor: '15m',
    notificationsStuckFor: '20m',
    storeFor: '5m',
    reloadFor: '5m',
    // The alert is sent above this number: unrecognised log lines in an hour, refused logins in 15 minutes.
    unrecognisedLines: 0,
    refusedLogins: 20,
  },
}
