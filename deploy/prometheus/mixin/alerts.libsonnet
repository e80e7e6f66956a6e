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
              "description": "The status page of ftm-watch at {{ $labels.site }} has the evidence and what to do. {{- with query \"count(site:ftm_activation_ready:min == 1)\" }} {{ . | first | value }} other site(s) are ready: the fault is local.{{ end }}",
              "runbook": "docs/runbooks/{{ $labels.cause }}.md"
            }
          },
          {
            "alert": "FtmActivationAtRisk",
            "expr": "site_incident:ftm_incident_told:last1h{severity=\"warning\", cause!~\"appliance-unreadable|appliance-access-denied|appliance-silent|precondition-unknown\"}",
            "labels": {
              "response": "ticket",
              "via": "rules"
            },
            "annotations": {
              "summary": "FortiToken Mobile activation is at risk at {{ $labels.site }}: {{ $labels.cause }}{{ with $labels.subject }} ({{ . }}){{ end }}",
              "description": "The status page of ftm-watch at {{ $labels.site }} has the evidence and what to do.",
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
              "description": "About {{ $value | printf \"%%.0f\" }} in the last %(pollingErrorsFor)s." % $._config,
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
              "description": "{{ if gt $value 0.0 }}It is valid for {{ $value | humanizeDuration }} more.{{ else }}It has expired.{{ end }}",
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
              "summary": "{{ $labels.appliance }} at {{ $labels.site }} gives out its last token within %(tokensDays)s days" % $._config,
              "description": "At the pace of the last %(tokensDays)s days." % $._config,
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
              "summary": "{{ with $labels.subject }}{{ . }}{{ else }}The licence server{{ end }} is lost at {{ $value }} sites at once",
              "description": "The fault is most likely at Fortinet and not at the sites: {{ range query (printf \"site_subject:ftm_server_lost:max{subject=%q}\" $labels.subject) | sortByLabel \"site\" }}{{ .Labels.site }} {{ end }}",
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
              "summary": "Nobody watches {{ $labels.site }}",
              "description": "No agent of the site can be scraped.",
              "runbook": "docs/runbooks/alerts.md#ftmsiteunwatched"
            }
          }
        ]
      },
      {
        "name": "ftm-watch-agents",
        "rules": [
          {
            "alert": "FtmOwnCertificateExpires",
            "expr": "min by (site, instance) (ftm_web_certificate_expiry_timestamp_seconds{%(ftmWatchSelector)s}) - time() < %(ownCertificateDays)s * 86400" % $._config,
            "for": "1h",
            "labels": {
              "response": "ticket",
              "severity": "warning"
            },
            "annotations": {
              "summary": "The certificate of the status page of ftm-watch at {{ $labels.site }} expires soon",
              "description": "{{ if gt $value 0.0 }}It is valid for {{ $value | humanizeDuration }} more.{{ else }}It has expired.{{ end }}",
              "runbook": "docs/runbooks/alerts.md#ftmowncertificateexpires"
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
              "summary": "The ftm-watch {{ $labels.instance }} calls its site {{ $labels.configured_site }}, and Prometheus {{ $labels.site }}",
              "description": "Alertmanager cannot match the alerts of the agent with those of Prometheus and sends both.",
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
              "summary": "The ftm-watch {{ $labels.instance }} of {{ $labels.site }} is down",
              "description": "Prometheus cannot scrape it.",
              "runbook": "docs/runbooks/alerts.md#ftmwatcherdown"
            }
          },
          {
            "alert": "FtmWatcherBlind",
            "expr": "(up{%(ftmWatchSelector)s} == 1 unless on (site, instance) ftm_activation_ready{%(ftmWatchSelector)s})\nor\n  (up{%(ftmWatchSelector)s} == 1 and on (site, instance) sum by (site, instance) (increase(ftm_probe_runs_total{%(ftmWatchSelector)s}[10m])) == 0)" % $._config,
            "for": "%(watcherBlindFor)s" % $._config,
            "labels": {
              "response": "ticket",
              "severity": "warning"
            },
            "annotations": {
              "summary": "The ftm-watch {{ $labels.instance }} of {{ $labels.site }} cannot tell whether activation works",
              "description": "It answers, but its verdict is unknown or its rounds stand still.",
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
              "summary": "ftm-watch does not see a part of {{ $labels.site }}: {{ $labels.cause }}{{ with $labels.subject }} ({{ . }}){{ end }}",
              "description": "Activation may work. The status page of ftm-watch at {{ $labels.site }} has the evidence and what to do.",
              "runbook": "docs/runbooks/{{ $labels.cause }}.md"
            }
          },
          {
            "alert": "FtmNotificationsStuck",
            "expr": "min_over_time(ftm_notifications_pending{%(ftmWatchSelector)s}[%(notificationsStuckFor)s]) > 0" % $._config,
            "for": "1m",
            "labels": {
              "response": "ticket",
              "severity": "warning"
            },
            "annotations": {
              "summary": "Notifications by {{ $labels.channel }} do not leave {{ $labels.site }}",
              "description": "{{ $value }} wait on {{ $labels.instance }}.",
              "runbook": "docs/runbooks/alerts.md#ftmnotificationsstuck"
            }
          },
          {
            "alert": "FtmNotificationsGivenUp",
            "expr": "increase(ftm_notifications_total{%(ftmWatchSelector)s, result=~\"rejected|expired\"}[1h]) > 0\nand\n  max_over_time(ftm_notifications_total{%(ftmWatchSelector)s, result=~\"rejected|expired\"}[1h])\n    > min_over_time(ftm_notifications_total{%(ftmWatchSelector)s, result=~\"rejected|expired\"}[1h])" % $._config,
            "labels": {
              "response": "ticket",
              "severity": "warning"
            },
            "annotations": {
              "summary": "Notifications by {{ $labels.channel }} were given up at {{ $labels.site }} ({{ $labels.result }})",
              "description": "The status page of {{ $labels.instance }} shows to whom, and what the other side said.",
              "runbook": "docs/runbooks/alerts.md#ftmnotificationsgivenup"
            }
          },
          {
            "alert": "FtmStoreNotWritable",
            "expr": "ftm_store_writable{%(ftmWatchSelector)s} == 0" % $._config,
            "for": "%(storeFor)s" % $._config,
            "labels": {
              "response": "ticket",
              "severity": "warning"
            },
            "annotations": {
              "summary": "The ftm-watch {{ $labels.instance }} of {{ $labels.site }} cannot write its store",
              "description": "It goes on watching and alerting, but history is lost, and with a restart what it has told.",
              "runbook": "docs/runbooks/alerts.md#ftmstorenotwritable"
            }
          },
          {
            "alert": "FtmStoreNewer",
            "expr": "ftm_store_newer{%(ftmWatchSelector)s} == 1" % $._config,
            "for": "%(storeFor)s" % $._config,
            "labels": {
              "response": "ticket",
              "severity": "warning"
            },
            "annotations": {
              "summary": "A newer ftm-watch wrote the store of {{ $labels.instance }} at {{ $labels.site }}",
              "description": "It leaves that alone, and remembers nothing over a restart. Put the newer one back.",
              "runbook": "docs/runbooks/alerts.md#ftmstorenewer"
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
              "summary": "Log lines at {{ $labels.site }} are about FortiToken Mobile, and no signature knows them",
              "description": "About {{ $value | printf \"%.0f\" }} in the last hour at {{ $labels.instance }}.",
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
              "summary": "The ftm-watch {{ $labels.instance }} of {{ $labels.site }} refuses many logins",
              "description": "About {{ $value | printf \"%.0f\" }} in the last 15 minutes.",
              "runbook": "docs/runbooks/alerts.md#ftmloginsrefused"
            }
          },
          {
            "alert": "FtmConfigReloadFailed",
            "expr": "ftm_config_last_reload_successful{%(ftmWatchSelector)s} == 0" % $._config,
            "for": "%(reloadFor)s" % $._config,
            "labels": {
              "response": "ticket",
              "severity": "warning"
            },
            "annotations": {
              "summary": "The ftm-watch {{ $labels.instance }} of {{ $labels.site }} refused its configuration",
              "description": "The previous configuration is still in use. A restart would fail.",
              "runbook": "docs/runbooks/alerts.md#ftmconfigreloadfailed"
            }
          }
        ]
      }
    ]
  },
}
