// The rules are the YAML files in rules/, in which %(name)s stands for a field of _config.
{
  local read(text) =
    local fill(filled, name) = std.strReplace(filled, '%(' + name + ')s', std.toString($._config[name]));
    trimmed(std.parseYaml(std.foldl(fill, std.objectFields($._config), text))),

  // std.manifestYamlDoc() of jsonnet 0.20 writes invalid YAML if a multi-line string begins with a space.
  local trimmed(value) =
    if std.isString(value) then std.stripChars(value, ' \n')
    else if std.isArray(value) then std.map(trimmed, value)
    else if std.isObject(value) then std.mapWithKey(function(_, one) trimmed(one), value)
    else value,

  prometheusAlerts+:: read(importstr 'rules/ftm-watch-alerts.yml'),
  prometheusRules+:: read(importstr 'rules/ftm-watch-recording.yml'),
}
