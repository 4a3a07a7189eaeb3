{{- define "penstock.labels" -}}
app.kubernetes.io/name: penstock-{{ .component }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "penstock.commonLabels" -}}
app.kubernetes.io/part-of: penstock
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "penstock.fullname" -}}
{{ .root.Release.Name | trunc 40 | trimSuffix "-" }}-{{ .component }}
{{- end }}

{{/* The security context of all pods. PodSecurity "restricted" accepts it. */}}
{{- define "penstock.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "penstock.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "penstock.mounts" -}}
- {name: config, mountPath: /etc/penstock, readOnly: true}
- {name: schemas, mountPath: /var/lib/penstock/schemas}
{{- if .Values.secretName }}
- {name: secrets, mountPath: /etc/penstock-secrets, readOnly: true}
{{- end }}
{{- end }}

{{- define "penstock.volumes" -}}
- name: config
  configMap: {name: {{ .Release.Name }}-penstock-config}
- name: schemas
  emptyDir: {sizeLimit: 64Mi}
{{- if .Values.secretName }}
- name: secrets
  secret: {secretName: {{ .Values.secretName }}}
{{- end }}
{{- end }}

{{- define "penstock.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Pods spread over host names and zones as far as the cluster has room. */}}
{{- define "penstock.spread" -}}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{ include "penstock.labels" $ | nindent 6 }}
{{- end }}
{{- end }}

{{/* The memory that a receiver takes in addition to what requests hold, in MiB: 64 for itself, the producer's queue, 40 KiB for each
connection (ARCHITECTURE.md, Memory). */}}
{{- define "penstock.receiverBase" -}}
{{- $receiver := .Values.config.receiver | default dict }}
{{- $options := .Values.config.kafka.options | default dict }}
{{- $connections := get $receiver "max_connections" | default 8192 | int }}
{{- $queue := get $options "queue.buffering.max.kbytes" | default 65536 | int }}
{{- add 64 (div (add $queue 1023) 1024) (div (add (mul $connections 40) 1023) 1024) }}
{{- end }}

{{/* The paths of all sources, as a JSON list. */}}
{{- define "penstock.paths" -}}
{{- $paths := list }}
{{- range .Values.config.receiver.sources }}
{{- $paths = append $paths .path }}
{{- end }}
{{- $paths | sortAlpha | uniq | toJson }}
{{- end }}

{{/* The topics that the indexer consumes, as a JSON list. */}}
{{- define "penstock.topics" -}}
{{- $topics := (.Values.config.indexer | default dict).topics | default dict }}
{{- if $topics }}{{ keys $topics | sortAlpha | toJson }}{{ else }}{{ list .Values.config.kafka.topic | toJson }}{{ end }}
{{- end }}
