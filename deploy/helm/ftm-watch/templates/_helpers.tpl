{{- define "ftm-watch.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* 52: "-dashboards" is put behind it. */}}
{{- define "ftm-watch.fullname" -}}
{{- $name := include "ftm-watch.name" . -}}
{{- $default := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $default | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "ftm-watch.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ftm-watch.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "ftm-watch.labels" -}}
{{ include "ftm-watch.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "ftm-watch.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "ftm-watch.fullname" .) "default") -}}
{{- end -}}

{{- define "ftm-watch.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ printf "%s@%s" .repository .digest }}
{{- else -}}
{{ printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "ftm-watch.site" -}}
{{- .Values.config.site | default .Release.Name -}}
{{- end -}}

{{- define "ftm-watch.webPort" -}}
{{- .Values.config.web.listen | regexFind "[0-9]+$" -}}
{{- end -}}

{{- define "ftm-watch.webScheme" -}}
{{- empty .Values.config.web.tls | ternary "HTTP" "HTTPS" -}}
{{- end -}}

{{/* Not empty where the page asks who it is. */}}
{{- define "ftm-watch.identities" -}}
{{- with .Values.config.web -}}
{{- if or .users .tokens .certificates .proxy -}}yes{{- end -}}
{{- end -}}
{{- end -}}

{{/* What Prometheus calls it. A service keeps its name, a pod does not. */}}
{{- define "ftm-watch.instance" -}}
{{- printf "%s:%s" (include "ftm-watch.fullname" .) (include "ftm-watch.webPort" .) -}}
{{- end -}}

{{/* The listeners for log lines, as the configuration has them: a list of name, protocol, port of the container, port of the service. */}}
{{- define "ftm-watch.syslogListeners" -}}
{{- $syslog := .Values.config.logs | default dict | dig "syslog" (dict) | default dict -}}
{{- $ports := .Values.syslogService.ports -}}
{{- $listeners := list -}}
{{- with $syslog.udp -}}
{{- $listeners = append $listeners (dict "name" "syslog-udp" "protocol" "UDP" "listen" . "port" $ports.udp) -}}
{{- end -}}
{{- with $syslog.tcp -}}
{{- $listeners = append $listeners (dict "name" "syslog-tcp" "protocol" "TCP" "listen" . "port" $ports.tcp) -}}
{{- end -}}
{{- with $syslog.tls -}}
{{- $listeners = append $listeners (dict "name" "syslog-tls" "protocol" "TCP" "listen" .listen "port" $ports.tls) -}}
{{- end -}}
{{- $listeners | toJson -}}
{{- end -}}

{{/* OpenShift gives a group of the project's, and refuses others. */}}
{{- define "ftm-watch.podSecurityContext" -}}
{{- $group := .Capabilities.APIVersions.Has "security.openshift.io/v1" | ternary (dict) (dict "fsGroup" 1000) -}}
{{- merge (dict) .Values.podSecurityContext $group | toYaml -}}
{{- end -}}

