(import 'config.libsonnet') +
(import 'rules.libsonnet') +
(import 'dashboards.libsonnet') +
(import 'add-runbook-links.libsonnet')
