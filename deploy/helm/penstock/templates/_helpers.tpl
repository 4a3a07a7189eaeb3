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

{{/* What both pods have in common. PodSecurity "restricted" accepts it. */}}
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
