// Written by "npm run generate" from tools/generate/prometheus: change it there.
{
  prometheusAlerts+:: {
    "groups": [
      {
        "name": "ftm-watch-activation",
        "rules": [
          {
            "alert": "FtmActivationBroken",
            "expr": "site_incident:ftm_incident_told:last1h{severity=\"critical\"}",
            "labels": {
              "response": "page",
              "via": "rules"
            },
            "annotations": {
              "summary": "FortiToken Mobile activation is broken at {{ $labels.site }}: {{ $labels.cause }}{{ with $labels.subject }} ({{ . }}){{ end }}",
              "description": "See the evidence and the remedy on the status page of ftm-watch at {{ $labels.site }}. {{- with query \"count(site:ftm_activation_ready:min == 1)\" }} Other sites that are ready: {{ . | first | value }}. The fault is local.{{ end }}",
              "runbook": "docs/runbooks/{{ $labels.cause }}.md"
            }
          },
          {
            "alert": "FtmActivationAtRisk",
            "expr": "site_incident:ftm_incident_told:last1h{severity=\"warning\", cause!~\"appliance-unreadable|appliance-access-denied|appliance-silent|precondition-unknown|store-not-writable|own-certificate-expires|listener-lost|log-lines-lost|log-sender-refused|notifications-stuck|reload-rejected\"}",
            "labels": {
              "response": "ticket",
              "via": "rules"
            },
            "annotations": {
              "summary": "FortiToken Mobile activation is at risk at {{ $labels.site }}: {{ $labels.cause }}{{ with $labels.subject }} ({{ . }}){{ end }}",
              "description": "See the evidence and the remedy on the status page of ftm-watch at {{ $labels.site }}.",
              "runbook": "docs/runbooks/{{ $labels.cause }}.md"
            }
          },
          {
            "alert": "FtmPollingErrors",
            "expr": "max by (site, appliance) (sum by (site, instance, appliance) (\n    increase(ftm_polling_errors_total{%(ftmWatchSelector)s}[%(pollingErrorsFor)s])\n  and\n    max_over_time(ftm_polling_errors_total{%(ftmWatchSelector)s}[%(pollingErrorsFor)s])\n      > min_over_time(ftm_polling_errors_total{%(ftmWatchSelector)s}[%(pollingErrorsFor)s])\n  )) > 0\nunless on (site)\n  max_over_time(site:ftm_maintenance_active:last1h[%(pollingErrorsFor)s]) == 1" % $._config,
            "labels": {
              "response": "ticket",
              "severity": "warning"
            },
            "annotations": {
              "summary": "{{ $labels.appliance }} at {{ $labels.site }} logs FortiToken Mobile errors",
              "description": "About {{ $value | printf \"%%.0f\" }} errors were logged in the last %(pollingErrorsFor)s." % $._config,
              "runbook": "docs/runbooks/alerts.md#ftmpollingerrors"
            }
          },
          {
            "alert": "FtmCertificateExpires",
            "expr": "min by (site, target) (\n    ftm_tls_certificate_not_after_timestamp_seconds{%(ftmWatchSelector)s}\n  and on (site, instance, target)\n    ftm_tls_verdict{%(ftmWatchSelector)s, verdict=\"genuine\"} == 1\n  ) - time() < %(certificateDays)s * 86400" % $._config,
            "for": "1h",
            "labels": {
              "response": "ticket",
              "severity": "warning"
            },
            "annotations": {
              "summary": "The certificate of {{ $labels.target }}, as seen from {{ $labels.site }}, expires soon",
              "description": "{{ if gt $value 0.0 }}The certificate is valid for another {{ $value | humanizeDuration }}.{{ else }}The certificate has expired.{{ end }}",
              "runbook": "docs/runbooks/alerts.md#ftmcertificateexpires"
            }
          },
          {
            "alert": "FtmTokensRunningOut",
            "expr": "predict_linear(site_appliance:ftm_tokens_left:min[%(tokensDays)sd:1h], %(tokensDays)s * 86400) <= 0 and site_appliance:ftm_tokens_left:min > 0 and count_over_time(site_appliance:ftm_tokens_left:min[%(tokensDays)sd:1h]) > 72" % $._config,
            "for": "1h",
            "labels": {
              "response": "ticket",
              "severity": "warning"
            },
            "annotations": {
              "summary": "{{ $labels.appliance }} at {{ $labels.site }} will have no free tokens within %(tokensDays)s days" % $._config,
              "description": "This is estimated from the use of tokens in the last %(tokensDays)s days." % $._config,
              "runbook": "docs/runbooks/alerts.md#ftmtokensrunningout"
            }
          }
        ]
      },
      {
        "name": "ftm-watch-sites",
        "rules": [
          {
            "alert": "FtmVendorOutage",
            "expr": "count by (subject) (site_subject:ftm_server_lost:max) >= %(vendorSites)s and count by (subject) (site_subject:ftm_server_lost:max) >= %(vendorShare)s * scalar(count( count by (site) (site_cause:ftm_cause_active:max) unless on (site) site:ftm_maintenance_active:last1h == 1))" % $._config,
            "for": "%(vendorFor)s" % $._config,
            "labels": {
              "response": "page",
              "severity": "critical"
            },
            "annotations": {
              "summary": "{{ with $labels.subject }}{{ . }}{{ else }}The licence server{{ end }} is unreachable from {{ $value }} sites at the same time",
              "description": "The fault is probably at Fortinet and not at these sites: {{ range query (printf \"site_subject:ftm_server_lost:max{subject=%q}\" $labels.subject) | sortByLabel \"site\" }}{{ .Labels.site }} {{ end }}. Fortinet reports incidents at https://status.fortistatus.com/guest-portal/fortitoken/incident/overview",
              "runbook": "docs/runbooks/alerts.md#ftmvendoroutage"
            }
          },
          {
            "alert": "FtmSiteUnwatched",
            "expr": "max by (site) (up{%(ftmWatchSelector)s}) == 0" % $._config,
            "for": "%(siteUnwatchedFor)s" % $._config,
            "labels": {
              "response": "page",
              "severity": "critical"
            },
            "annotations": {
              "summary": "The site {{ $labels.site }} is not monitored",
              "description": "Prometheus cannot scrape any agent at the site.",
              "runbook": "docs/runbooks/alerts.md#ftmsiteunwatched"
            }
          }
        ]
      },
      {
        "name": "ftm-watch-agents",
        "rules": [
          {
            "alert": "FtmAgentTrouble",
            "expr": "site_incident:ftm_incident_told:last1h{severity=\"warning\", cause=~\"store-not-writable|own-certificate-expires|listener-lost|log-lines-lost|log-sender-refused|notifications-stuck|reload-rejected\"}",
            "labels": {
              "response": "ticket",
              "via": "rules"
            },
            "annotations": {
              "summary": "ftm-watch at {{ $labels.site }} needs attention: {{ $labels.cause }}{{ with $labels.subject }} ({{ . }}){{ end }}",
              "description": "Activation is not affected. See the evidence and the remedy on the status page of ftm-watch at {{ $labels.site }}.",
              "runbook": "docs/runbooks/{{ $labels.cause }}.md"
            }
          },
          {
            "alert": "FtmSiteDiffers",
            "expr": "max by (site, instance, configured_site) (ftm_site_info{%(ftmWatchSelector)s})\nunless on (instance, configured_site)\n  label_replace(max by (site, instance) (ftm_site_info{%(ftmWatchSelector)s}), \"configured_site\", \"$1\", \"site\", \"(.+)\")" % $._config,
            "for": "%(siteDiffersFor)s" % $._config,
            "labels": {
              "response": "ticket",
              "severity": "warning"
            },
            "annotations": {
              "summary": "The site name of ftm-watch {{ $labels.instance }} is {{ $labels.configured_site }}, but in Prometheus it is {{ $labels.site }}",
              "description": "Alertmanager cannot match alerts from the agent with alerts from Prometheus, so it sends both.",
              "runbook": "docs/runbooks/alerts.md#ftmsitediffers"
            }
          },
          {
            "alert": "FtmWatcherDown",
            "expr": "up{%(ftmWatchSelector)s} == 0" % $._config,
            "for": "%(watcherDownFor)s" % $._config,
            "labels": {
              "response": "ticket",
              "severity": "warning"
            },
            "annotations": {
              "summary": "ftm-watch {{ $labels.instance }} at {{ $labels.site }} is down",
              "description": "Prometheus cannot scrape this agent.",
              "runbook": "docs/runbooks/alerts.md#ftmwatcherdown"
            }
          },
          {
            "alert": "FtmWatcherBlind",
            "expr": "up{%(ftmWatchSelector)s} == 1 unless on (site, instance) ftm_activation_ready{%(ftmWatchSelector)s}" % $._config,
            "for": "%(watcherBlindFor)s" % $._config,
            "labels": {
              "response": "ticket",
              "severity": "warning"
            },
            "annotations": {
              "summary": "ftm-watch {{ $labels.instance }} at {{ $labels.site }} cannot determine whether activation works",
              "description": "The agent responds, but its verdict is unknown or its rounds have stopped.",
              "runbook": "docs/runbooks/alerts.md#ftmwatcherblind"
            }
          },
          {
            "alert": "FtmWatcherBlind",
            "expr": "site_incident:ftm_incident_told:last1h{severity=\"warning\", cause=~\"appliance-unreadable|appliance-access-denied|appliance-silent|precondition-unknown\"}",
            "labels": {
              "response": "ticket",
              "via": "rules"
            },
            "annotations": {
              "summary": "ftm-watch cannot monitor a part of {{ $labels.site }}: {{ $labels.cause }}{{ with $labels.subject }} ({{ . }}){{ end }}",
              "description": "Activation may work. See the evidence and the remedy on the status page of ftm-watch at {{ $labels.site }}.",
              "runbook": "docs/runbooks/{{ $labels.cause }}.md"
            }
          },
          {
            "alert": "FtmLogLinesUnrecognised",
            "expr": "sum by (site, instance) (\n    increase(ftm_log_lines_total{%(ftmWatchSelector)s, result=\"unrecognised\"}[1h])\n  and\n    max_over_time(ftm_log_lines_total{%(ftmWatchSelector)s, result=\"unrecognised\"}[1h])\n      > min_over_time(ftm_log_lines_total{%(ftmWatchSelector)s, result=\"unrecognised\"}[1h])\n  ) > %(unrecognisedLines)s" % $._config,
            "labels": {
              "response": "ticket",
              "severity": "warning"
            },
            "annotations": {
              "summary": "Log lines about FortiToken Mobile at {{ $labels.site }} match no signature",
              "description": "About {{ $value | printf \"%.0f\" }} lines were received in the last hour at {{ $labels.instance }}.",
              "runbook": "docs/runbooks/alerts.md#ftmloglinesunrecognised"
            }
          },
          {
            "alert": "FtmLoginsRefused",
            "expr": "sum by (site, instance) (\n    increase(ftm_web_logins_total{%(ftmWatchSelector)s, result=~\"refused|limited\"}[15m])\n  and\n    max_over_time(ftm_web_logins_total{%(ftmWatchSelector)s, result=~\"refused|limited\"}[15m])\n      > min_over_time(ftm_web_logins_total{%(ftmWatchSelector)s, result=~\"refused|limited\"}[15m])\n  ) > %(refusedLogins)s" % $._config,
            "labels": {
              "response": "ticket",
              "severity": "warning"
            },
            "annotations": {
              "summary": "ftm-watch {{ $labels.instance }} at {{ $labels.site }} rejects many logins",
              "description": "About {{ $value | printf \"%.0f\" }} logins were rejected in the last 15 minutes.",
              "runbook": "docs/runbooks/alerts.md#ftmloginsrefused"
            }
          }
        ]
      }
    ]
  },
}
