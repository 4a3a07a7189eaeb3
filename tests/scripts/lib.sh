# shellcheck shell=bash
# Functions for scripts that run services on the local stack. Sourced, at the root of the repository.

stack=$PWD/deploy/local/stack
own_stack=''

# Prints a free port below the range from which the system takes the ports of outgoing connections.
free_port() {
  local port
  while :; do
    port=$((30000 + RANDOM % 2000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  printf '%s' "$port"
}

# eventually WHAT COMMAND...: repeats the command until it succeeds; ends the script after a minute.
eventually() {
  local what=$1 deadline=$((SECONDS + 60))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || die "$what: not within 60 s"
    sleep 0.2
  done
}

# use_stack FOLDER: uses the running stack (`make stack`, with its variables), or starts one in FOLDER on free ports. Sets
# KAFKA_BROKERS, REGISTRY_URL and ELASTICSEARCH_URL.
use_stack() {
  if ! "$stack" status >/dev/null 2>&1; then
    export STACK_DIR=$1 KAFKA_PORT REGISTRY_PORT ELASTICSEARCH_PORT
    KAFKA_PORT=$(free_port) REGISTRY_PORT=$(free_port) ELASTICSEARCH_PORT=$(free_port)
    own_stack=yes
    "$stack" up >/dev/null
  fi
  eval "$("$stack" env)"
}

# Stops the stack if use_stack has started it.
leave_stack() { [[ -z $own_stack ]] || "$stack" down >/dev/null 2>&1 || true; }
