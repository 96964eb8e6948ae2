{{- define "hueandcry.name" -}}
{{- printf "%s-hueandcry" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "hueandcry.labels" -}}
app.kubernetes.io/name: hueandcry
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "hueandcry.image" -}}
{{ required "image.repository names the image to run" .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "hueandcry.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "hueandcry.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Where pods go; takes a dict of root and component. */}}
{{- define "hueandcry.spread" -}}
topologySpreadConstraints:
  {{- range $key, $when := dict "kubernetes.io/hostname" .root.Values.spread.nodes "topology.kubernetes.io/zone" .root.Values.spread.zones }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: {{ $when }}
    labelSelector:
      matchLabels:
        {{- include "hueandcry.labels" $.root | nindent 8 }}
        app.kubernetes.io/component: {{ $.component }}
  {{- end }}
{{- end -}}

{{/* Environment of every process; takes a dict of root and the user on the broker. */}}
{{- define "hueandcry.kafka" -}}
- name: HUEANDCRY_BOOTSTRAP
  value: {{ required "kafka.bootstrap says where Kafka is" .root.Values.kafka.bootstrap | quote }}
- name: HUEANDCRY_USER
  value: {{ .user }}
- name: HUEANDCRY_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ required "credentialsSecret names the secret with the services' passwords" .root.Values.credentialsSecret }}
      key: {{ .user }}
{{- if .root.Values.kafka.caSecret }}
- name: HUEANDCRY_CA
  value: /etc/hueandcry/kafka/ca.crt
{{- end }}
{{- end -}}
