// Written by "npm run generate" from tools/generate/prometheus: change it there.
{
  _config+:: {
    // Selector for the series of ftm-watch, which contains the job of the scrape configuration.
    ftmWatchSelector: 'job="ftm-watch"',

    // Address of the runbooks with %s for the page, such as https://ftm.example.org/runbooks/%s for the runbooks of
    // a daemon. If null, alerts and dashboards have no links to runbooks.
    runbookURLPattern: null,

    // The alert is sent this number of days before the certificate of a target expires.
    certificateDays: 14,
    // The alert is sent if the last token will be used within this number of days (based on the same number of past days).
    tokensDays: 7,
    // Period in which errors in FortiAuthenticator's log are counted.
    pollingErrorsFor: '15m',
    // Minimum number of sites that must lose the same server at the same time for an outage at the vendor.
    vendorSites: 2,
    // Minimum share of all sites that must lose the server for an outage at the vendor.
    vendorShare: 0.5,
    // Duration of an outage at the vendor before the alert is sent.
    vendorFor: '0s',
    // Time without a response from any agent at a site before the alert is sent.
    siteUnwatchedFor: '3m',
    // Time without a response from an agent before the alert is sent.
    watcherDownFor: '2m',
    // Time without a verdict from an agent before the alert is sent.
    watcherBlindFor: '10m',
    // Time for which an agent and Prometheus use different site names before the alert is sent.
    siteDiffersFor: '15m',
    // Maximum number of unrecognised log lines in an hour. If there are more, the alert is sent.
    unrecognisedLines: 0,
    // Maximum number of rejected logins in 15 minutes. If there are more, the alert is sent.
    refusedLogins: 20,
  },
}
