# shellcheck shell=bash
# What scripts that run services on the local stack have in common. Sourced, at the root of the repository.

stack=$PWD/deploy/local/stack
own_stack=''

# Prints a port below the range from which the system takes those of outgoing connections.
free_port() {
  local port
  while :; do
    port=$((30000 + RANDOM % 2000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  printf '%s' "$port"
}

# eventually WHAT COMMAND...: asks until the command succeeds, for a minute; then ends the script.
eventually() {
  local what=$1 deadline=$((SECONDS + 60))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || die "$what: not within 60 s"
    sleep 0.2
  done
}

# use_stack FOLDER: the stack that runs (`make stack`, with its variables), else one of its own in FOLDER on free ports. Sets KAFKA_BROKERS,
# REGISTRY_URL and ELASTICSEARCH_URL.
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
