# shellcheck shell=bash disable=SC2034,SC2154
# Elasticsearch and OpenSearch refuse to run as uid 0. Sourced by ../stack.

# unprivileged NAME PROGRAM FOLDER...: sets $as to the command that lets root run PROGRAM as another user. PROGRAM writes to the
# FOLDERs and to $logs. In a user namespace, root has another uid and still owns its files. If such namespaces are forbidden
# (many containers), root becomes nobody, with root's right to open every file if possible. For other users $as is empty.
unprivileged() {
  local name=$1 program=$2
  local nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  local open=(--inh-caps=+dac_override --ambient-caps=+dac_override --securebits=+no_setuid_fixup)
  shift 2
  as=()
  [[ $(id -u) == 0 ]] || return 0
  as=(unshare -U --map-user=1000 --map-group=1000)
  if "${as[@]}" true 2>/dev/null; then
    chown -R 0:0 "$@" "$logs" # some may belong to nobody, from an earlier run
    return
  fi
  as=("${nobody[@]}" "${open[@]}")
  if "${as[@]}" test -r "$program" -a -w "$logs" 2>/dev/null; then return; fi
  as=("${nobody[@]}")
  chown -R 65534:65534 "$@" "$logs"
  "${as[@]}" test -r "$program" -a -w "$1" -a -w "$logs" 2>/dev/null ||
    die "as root, $name runs as nobody, who cannot reach $program or $STACK_DIR: set STACK_CACHE and STACK_DIR to folders that everybody may enter, or do not run as root"
}
