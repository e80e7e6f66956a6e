// Adds "runbook_url" to each alert, and a link to the dashboard of a cause, if _config.runbookURLPattern is set.
{
  local pattern = $._config.runbookURLPattern,

  // From "docs/runbooks/alerts.md#ftmwatcherdown": the page "alerts" and its heading.
  local urlOf(runbook) =
    local parts = std.splitLimit(std.strReplace(runbook, 'docs/runbooks/', ''), '.md', 1);
    std.strReplace(pattern, '%s', parts[0]) + parts[1],

  local linked(rule) = rule { annotations+: { runbook_url: urlOf(rule.annotations.runbook) } },

  prometheusAlerts+:: {
    groups: [
      group { rules: [if pattern != null then linked(rule) else rule for rule in group.rules] }
      for group in super.groups
    ],
  },

  grafanaDashboards+:: if pattern == null then {} else {
    'cause.json'+: {
      links+: [{
        title: 'Runbook for $cause',
        type: 'link',
        icon: 'doc',
        targetBlank: true,
        url: std.strReplace(pattern, '%s', '$cause'),
      }],
    },
  },
}
