// Written by "npm run generate" from tools/generate/prometheus: change it there.
{
  prometheusRules+:: {
    "groups": [
      {
        "name": "ftm-watch-recording",
        "rules": [
          {
            "record": "site:ftm_activation_ready:min",
            "expr": "min by (site) (ftm_activation_ready{%(ftmWatchSelector)s})" % $._config
          },
          {
            "record": "site_cause:ftm_cause_active:max",
            "expr": "max by (site, cause, severity) (ftm_cause_active{%(ftmWatchSelector)s})" % $._config
          },
          {
            "record": "site_incident:ftm_incident_open:max",
            "expr": "max by (site, cause, severity, subject) (ftm_incident_open{%(ftmWatchSelector)s})\nor\n  max by (site, cause, severity) (ftm_cause_active{%(ftmWatchSelector)s}) == 1\nunless on (site, cause, severity)\n  ftm_incident_open{%(ftmWatchSelector)s}" % $._config
          },
          {
            "record": "site:ftm_maintenance_active:max",
            "expr": "max by (site) (ftm_maintenance_active{%(ftmWatchSelector)s})" % $._config
          },
          {
            "record": "site:ftm_maintenance_active:last1h",
            "expr": "last_over_time(site:ftm_maintenance_active:max[1h])"
          },
          {
            "record": "site_incident:ftm_incident_told:last1h",
            "expr": "site_incident:ftm_incident_open:max\nand on (site, cause, severity)\n  ftm_cause_active{%(ftmWatchSelector)s} == 1\nunless on (site)\n  site:ftm_maintenance_active:last1h == 1\nor\n  site_incident:ftm_incident_open:max\nand on (site, cause, severity)\n  ftm_cause_active{%(ftmWatchSelector)s} == 1\nand\n  site_incident:ftm_incident_told:last1h\nor\n  site_incident:ftm_incident_told:last1h\nunless on (site)\n  ftm_cause_active{%(ftmWatchSelector)s}\nand on (site)\n  last_over_time(site_cause:ftm_cause_active:max[1h])" % $._config
          },
          {
            "record": "site_subject:ftm_server_lost:max",
            "expr": "max by (site, subject) (\n    site_incident:ftm_incident_open:max{cause=~\"license-server-down|egress-blocked\", severity=\"critical\",\n      subject!=\"other\"}\n  )\nunless on (site)\n  site:ftm_maintenance_active:last1h == 1"
          },
          {
            "record": "site_appliance:ftm_tokens_left:min",
            "expr": "min by (site, appliance) (sum by (site, instance, appliance) (ftm_tokens{%(ftmWatchSelector)s, status=~\"new|available\"}) - sum by (site, instance, appliance) (ftm_tokens_locked{%(ftmWatchSelector)s, status=~\"new|available\"}))" % $._config
          },
          {
            "record": "site_target:ftm_probe_failure_ratio:rate5m",
            "expr": "sum by (site, probe, target) (rate(ftm_probe_failures_total{%(ftmWatchSelector)s}[5m]))\n/\n  sum by (site, probe, target) (rate(ftm_probe_runs_total{%(ftmWatchSelector)s}[5m]))" % $._config
          }
        ]
      }
    ]
  },
}
