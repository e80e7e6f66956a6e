// The files in dashboards/ can also be imported into Grafana as they are.
{
  // As it is written within a JSON string.
  local escaped(text) =
    local quoted = std.escapeStringJson(text);
    std.substr(quoted, 1, std.length(quoted) - 2),

  local dashboard(json) =
    std.parseJson(std.strReplace(json, escaped('job="ftm-watch"'), escaped($._config.ftmWatchSelector))),

  grafanaDashboards+:: {
    'cause.json': dashboard(importstr 'dashboards/cause.json'),
    'daemon.json': dashboard(importstr 'dashboards/daemon.json'),
    'fleet.json': dashboard(importstr 'dashboards/fleet.json'),
    'site.json': dashboard(importstr 'dashboards/site.json'),
  },
}
