# shellcheck shell=bash disable=SC2034,SC2154
# OpenSearch: the project's integration-test build, which is the server without plugins. Sourced by ../stack.

OPENSEARCH_VERSION=${OPENSEARCH_VERSION:-3.3.0}
opensearch_version=$OPENSEARCH_VERSION
opensearch_size="78 MB"

check_opensearch() {
  local least=21
  ((${OPENSEARCH_VERSION%%.*} > 2)) || least=17
  opensearch_java=$(find_java "opensearch $OPENSEARCH_VERSION" $least)
}

finish_opensearch() {
  # Moves the files out of the folder with the version. Unpacking lost the executable bits.
  mv "$1/opensearch-$OPENSEARCH_VERSION"/* "$1/"
  rmdir "$1/opensearch-$OPENSEARCH_VERSION"
  chmod a+x "$1"/bin/opensearch*
}

start_opensearch() {
  local home data="$STACK_DIR/opensearch" conf="$run/opensearch" as=()
  home=$(home_of opensearch "$OPENSEARCH_VERSION")
  mkdir -p "$data" "$conf" "$run/opensearch-tmp"
  cp -r "$home/config/." "$conf/"
  # No gc.log, no heap dump, no crash file: nobody reads them here.
  sed -E '/gc\.log|Xlog:gc|HeapDump|hs_err/d' "$home/config/jvm.options" >"$conf/jvm.options"
  cat >"$conf/log4j2.properties" <<P
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] [%node_name]%marker %m%n
P
  cat >"$conf/opensearch.yml" <<Y
cluster.name: opensearch
node.name: n1
path.data: $data
path.logs: $logs
network.host: 127.0.0.1
http.port: $OPENSEARCH_PORT
transport.port: 0
discovery.type: single-node
# A disk that is 90 % full is no reason to refuse a test's index.
cluster.routing.allocation.disk.threshold_enabled: false
# A document must not create a deleted backing index of a rollover again: docs/compatibility.md requires this setting.
action.auto_create_index: "-*-000*,+*"
Y
  unprivileged OpenSearch "$home/bin/opensearch" "$data" "$conf" "$run/opensearch-tmp"
  # shellcheck disable=SC2086 # lists of words
  launch opensearch "$OPENSEARCH_PORT" env -u JAVA_HOME -u CLASSPATH "OPENSEARCH_JAVA_HOME=$opensearch_java" \
    "OPENSEARCH_PATH_CONF=$conf" "OPENSEARCH_TMPDIR=$run/opensearch-tmp" \
    "OPENSEARCH_JAVA_OPTS=-Xms$OPENSEARCH_HEAP -Xmx$OPENSEARCH_HEAP $quick_jvm ${OPENSEARCH_JAVA_OPTS:-}" \
    ${as[@]+"${as[@]}"} "$home/bin/opensearch" ${OPENSEARCH_EXTRA:-}
}

# Up, and its indices recovered.
ready_opensearch() { [[ $(http_status "$1" '/_cluster/health?wait_for_status=yellow&timeout=1s') == 200 ]]; }
