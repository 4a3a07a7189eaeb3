# shellcheck shell=bash disable=SC2034,SC2154
# The schema registry: Apicurio Registry, which also speaks Confluent's API. Sourced by ../stack.

registry_version=3.3.3
registry_size="158 MB"

check_registry() { registry_java=$(find_java registry 21); }

finish_registry() { [[ -f $1/quarkus-run.jar ]]; }

start_registry() {
  local home data="$STACK_DIR/registry"
  home=$(home_of registry "$registry_version")
  mkdir -p "$data"
  # H2 in a file: schemas and their ids survive a restart and, with WRITE_DELAY=0, a kill.
  # shellcheck disable=SC2086 # REGISTRY_JAVA_OPTS is a list of words
  launch registry "$REGISTRY_PORT" env QUARKUS_HTTP_HOST=127.0.0.1 "QUARKUS_HTTP_PORT=$REGISTRY_PORT" \
    QUARKUS_MANAGEMENT_HOST=127.0.0.1 QUARKUS_MANAGEMENT_PORT=0 \
    APICURIO_STORAGE_KIND=sql APICURIO_STORAGE_SQL_KIND=h2 "APICURIO_DATASOURCE_URL=jdbc:h2:file:$data/registry;WRITE_DELAY=0" \
    "$registry_java/bin/java" "-Xmx$REGISTRY_HEAP" -XX:+UseSerialGC $quick_jvm ${REGISTRY_JAVA_OPTS:-} \
    -jar "$home/quarkus-run.jar"
}

ready_registry() { [[ $(http_status "$1" /apis/ccompat/v7/subjects) == 200 ]]; }
