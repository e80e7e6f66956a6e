{{/* A file of rules, with the thresholds and the addresses of the runbooks: list of the chart's root and the path. */}}
{{- define "ftm-watch.rules" -}}
{{- $root := first . -}}
{{- $text := required (printf (include "ftm-watch.notLinked" .) (last .)) ($root.Files.Get (last .)) -}}
{{- $text = replace "%(ftmWatchSelector)s" "job=\"ftm-watch\"" $text -}}
{{- range $name, $value := $root.Values.prometheusRule.thresholds -}}
{{- $text = replace (printf "%%(%s)s" $name) (toString $value) $text -}}
{{- end -}}
{{- $rules := fromYaml $text -}}
{{- with $root.Values.prometheusRule.runbookURLPattern -}}
{{- $pattern := . -}}
{{- range $group := $rules.groups -}}
{{- range $rule := $group.rules -}}
{{- if $rule.alert -}}
{{- /* docs/runbooks/alerts.md#ftmwatcherdown: the page "alerts" and its heading. */ -}}
{{- $page := regexReplaceAll "^docs/runbooks/(.*)[.]md(#.*)?$" $rule.annotations.runbook "${1}" -}}
{{- $heading := regexFind "#.*$" $rule.annotations.runbook -}}
{{- $_ := set $rule.annotations "runbook_url" (print (replace "%s" $page $pattern) $heading) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $rules -}}
{{- end -}}

{{/* In the repository, files/ contains symbolic links. Helm follows them, but some copies of it lose them. */}}
{{- define "ftm-watch.notLinked" -}}
The chart has no %s: use a released chart, or "helm package" in a checkout with symbolic links
{{- end -}}
