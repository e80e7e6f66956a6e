{{/* A port as "PROTOCOL PORT": (list PROTOCOL TEXT DEFAULT), where TEXT is a URL or a host with or without a port. */}}
{{- define "ftm-watch.port" -}}
{{- $authority := index . 1 | regexFind "^([a-z]+://)?[^/?]+" -}}
{{- $scheme := regexFind "^[a-z]+://" $authority -}}
{{- $default := get (dict "http://" 80 "https://" 443 "tls://" 853) $scheme | default (last .) -}}
{{- $named := trimPrefix $scheme $authority | regexMatch "^(\\[.*\\]|[^:]+):[0-9]+$" -}}
{{ printf "%s %v" (first .) ($named | ternary (regexFind "[0-9]+$" $authority) $default) }}
{{- end -}}

{{/* The ports that the configuration leads to: a list of "PROTOCOL PORT". Names are asked for at port 53. */}}
{{- define "ftm-watch.egressPorts" -}}
{{- $config := .Values.config -}}
{{- $license := $config.licenseServer | default dict -}}
{{- $registration := $config.registration | default dict -}}
{{- $notify := $config.notify | default dict -}}
{{- $email := $notify.email | default dict -}}
{{- $firewalls := kindIs "map" $config.firewall | ternary (list $config.firewall) $config.firewall -}}
{{- $alertmanager := $notify.alertmanager | default dict -}}
{{- $urls := concat (list $registration.url $registration.authUrl) ($alertmanager.urls | default list) -}}
{{- $urls = append $urls (kindIs "map" $license.proxy | ternary ($license.proxy | default dict).url $license.proxy) -}}
{{- $urls = append $urls (kindIs "map" $notify.proxy | ternary ($notify.proxy | default dict).url $notify.proxy) -}}
{{- $urls = append $urls ($notify.heartbeat | default dict).url -}}
{{- $urls = append $urls (($config.metrics | default dict).otlp | default dict).url -}}
{{- $urls = append $urls (($config.outside | default dict).globalping | default dict).url -}}
{{- range concat ($firewalls | default list) ($config.peers | default list) -}}
{{- $urls = append $urls .url -}}
{{- end -}}
{{- range $notify -}}
{{- if kindIs "slice" . -}}{{- range . -}}{{- $urls = append $urls .url -}}{{- end -}}{{- end -}}
{{- end -}}
{{- $ports := list "UDP 53" "TCP 53" "TCP 443" (printf "TCP %v" ($license.port | default 443)) -}}
{{/* The policy sees the port of the pod, and the pods of OpenShift's resolver listen on 5353. */}}
{{- if .Capabilities.APIVersions.Has "security.openshift.io/v1" -}}
{{- $ports = concat $ports (list "UDP 5353" "TCP 5353") -}}
{{- end -}}
{{- range $config.appliances -}}
{{- $urls = append $urls (.api | default dict).url -}}
{{/* Without mail servers in the configuration, those that FortiAuthenticator's API reports are checked. */}}
{{- if and .api (not $config.mail) -}}{{- $ports = concat $ports (list "TCP 25" "TCP 465" "TCP 587") -}}{{- end -}}
{{- with .snmp -}}{{- $ports = append $ports (printf "UDP %v" (.port | default 161)) -}}{{- end -}}
{{- end -}}
{{- range concat (compact $urls) ($config.controlHosts | default list) ($config.web.probeTargets | default list) -}}
{{- $ports = append $ports (include "ftm-watch.port" (list "TCP" . 443)) -}}
{{- end -}}
{{- range without ($config.resolvers | default list) "system" -}}
{{- $overUdp := regexMatch "^(udp://|[^:]+$|\\[|[0-9a-f:.]+$)" . -}}
{{- $ports = append $ports (include "ftm-watch.port" (list ($overUdp | ternary "UDP" "TCP") . 53)) -}}
{{- if $overUdp -}}{{- $ports = append $ports (include "ftm-watch.port" (list "TCP" . 53)) -}}{{- end -}}
{{- end -}}
{{- range ($config.clock | default dict).ntp -}}
{{- $ports = append $ports (include "ftm-watch.port" (list "UDP" . 123)) -}}
{{- end -}}
{{- range $config.services -}}
{{- if kindIs "map" . -}}{{- $ports = append $ports (printf "TCP %v" (.port | default 443)) -}}{{- end -}}
{{- end -}}
{{- range concat ($config.mail | default list) ($email.servers | default list) -}}
{{- $ports = append $ports (printf "TCP %v" (.port | default (.security | default "" | eq "tls" | ternary 465 25))) -}}
{{- end -}}
{{- with $config.mail -}}{{- $ports = append $ports "TCP 25" -}}{{- end -}}
{{- range $notify.syslog -}}
{{- $protocol := .transport | default "" | eq "udp" | ternary "UDP" "TCP" -}}
{{- $ports = append $ports (printf "%s %v" $protocol (.port | default (.transport | default "" | eq "tls" | ternary 6514 514))) -}}
{{- end -}}
{{- $ports | uniq | toJson -}}
{{- end -}}
