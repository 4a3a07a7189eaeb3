# shellcheck shell=bash disable=SC2034,SC2154
# Elasticsearch: Elastic's integration-test build plus the plugin in ../elasticsearch-plugin. Sourced by ../stack.

ES_VERSION=${ES_VERSION:-8.19.21}
elasticsearch_version=$ES_VERSION
case $ES_VERSION in 8.*) elasticsearch_size="107 MB" ;; *) elasticsearch_size="132 MB" ;; esac

check_elasticsearch() {
  local least=17
  ((${ES_VERSION%%.*} < 9)) || least=21
  elasticsearch_java=$(find_java "elasticsearch $ES_VERSION" $least javac) # javac: for the plugin
}

finish_elasticsearch() {
  # Moves the files out of the folder with the version. Unpacking lost the executable bits.
  mv "$1/elasticsearch-$ES_VERSION"/* "$1/"
  rmdir "$1/elasticsearch-$ES_VERSION"
  chmod a+x "$1"/bin/elasticsearch*
}

# Builds the plugin, once per change of its source.
build_plugin() {
  local home=$1 source
  source=$(cat "$here"/elasticsearch-plugin/* | cksum)
  (
    lock 9 "another stack is building the plugin"
    [[ "$(cat "$home/.plugin" 2>/dev/null)" != "$source" ]] || exit 0
    tell elasticsearch "building the plugin"
    "$here/elasticsearch-plugin/build" "$home" "$ES_VERSION" "$elasticsearch_java" 9>&- || exit 1
    printf '%s' "$source" >"$home/.plugin"
  ) 9>>"$STACK_CACHE/.lock" || die "the plugin in $here/elasticsearch-plugin does not build against Elasticsearch $ES_VERSION"
}

# The nodes of a cluster find each other by fixed ports, which are chosen once for all three.
elasticsearch_seeds() {
  [[ -f $run/elasticsearch-seeds ]] || printf '127.0.0.1:%s 127.0.0.1:%s 127.0.0.1:%s' \
    "$(free_port)" "$(free_port)" "$(free_port)" >"$run/elasticsearch-seeds"
  cat "$run/elasticsearch-seeds"
}

# Prints the lines of elasticsearch.yml that name the other nodes.
elasticsearch_discovery() { # NUMBER
  local seeds
  if [[ $NODES == 1 ]]; then
    printf '%s\n' 'transport.port: 0' 'discovery.type: single-node'
    return
  fi
  read -r -a seeds <<<"$(elasticsearch_seeds)"
  printf 'transport.port: %s\n' "${seeds[$1 - 1]##*:}"
  printf 'discovery.seed_hosts: ["%s", "%s", "%s"]\n' "${seeds[@]}"
  printf '%s\n' 'cluster.initial_master_nodes: ["n1", "n2", "n3"]'
}

start_elasticsearch() { # PART
  local part=$1 home data="$STACK_DIR/$1" conf="$run/$1" snapshots="$STACK_DIR/snapshots" as=() port number
  port=$(port_of "$part")
  number=$(number_of "$part")
  home=$(home_of elasticsearch "$ES_VERSION")
  build_plugin "$home"
  mkdir -p "$data" "$conf" "$run/$part-tmp" "$snapshots"
  [[ -f $conf/users ]] || cp -r "$home/config/." "$conf/" # users and keystore outlive a restart
  # No gc.log, no heap dump, no crash file: nobody reads them here.
  sed -E '/gc\.log|Xlog:gc|HeapDump|hs_err/d' "$home/config/jvm.options" >"$conf/jvm.options"
  # A rolling file by time, not the console: without the early set-up that it causes, 8.19 on Java 17 fails when the plugin
  # reads its ILM settings ("CalendarDataProvider: not entitled").
  cat >"$conf/log4j2.properties" <<P
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = $logs/$part.log
appender.file.filePattern = $logs/$part-%d{yyyy-MM-dd}-%i.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] [%node_name]%marker %m%n
appender.file.policies.type = Policies
appender.file.policies.time.type = TimeBasedTriggeringPolicy
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 64MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 1
P
  cat >"$conf/elasticsearch.yml" <<Y
cluster.name: elasticsearch
node.name: n$number
path.data: $data
path.logs: $logs
# All nodes share it, as a repository of snapshots must be.
path.repo: $snapshots
network.host: 127.0.0.1
http.port: $port
$(elasticsearch_discovery "$number")
xpack.security.enabled: false
# A disk that is 90 % full is no reason to refuse a test's index.
cluster.routing.allocation.disk.threshold_enabled: false
# How often the plugin's ILM looks at the indices; Elastic's own default is 10m.
indices.lifecycle.poll_interval: 1s
Y
  new_log "$part" # which it opens itself
  unprivileged Elasticsearch "$home/bin/elasticsearch" "$data" "$conf" "$run/$part-tmp" "$snapshots"
  # shellcheck disable=SC2086 # lists of words
  launch "$part" "$port" env -u JAVA_HOME -u CLASSPATH "ES_JAVA_HOME=$elasticsearch_java" "ES_PATH_CONF=$conf" \
    "ES_TMPDIR=$run/$part-tmp" "ES_JAVA_OPTS=-Xms$ES_HEAP -Xmx$ES_HEAP $quick_jvm ${ES_JAVA_OPTS:-}" \
    "CLI_JAVA_OPTS=$quick_jvm" ${as[@]+"${as[@]}"} "$home/bin/elasticsearch" ${ES_EXTRA:-}
}

# A superuser, known to Elasticsearch within 5 seconds, and after a restart too.
add_user() { # NAME PASSWORD
  local home as=() data="$STACK_DIR/elasticsearch" conf="$run/elasticsearch"
  check_elasticsearch || { java_advice; exit 1; }
  home=$(home_of elasticsearch "$ES_VERSION")
  [[ -f $conf/users ]] || die "no Elasticsearch was started in $STACK_DIR yet"
  unprivileged Elasticsearch "$home/bin/elasticsearch" "$data" "$conf" "$run/elasticsearch-tmp"
  env -u CLASSPATH "ES_JAVA_HOME=$elasticsearch_java" "ES_PATH_CONF=$conf" "CLI_JAVA_OPTS=$quick_jvm" ${as[@]+"${as[@]}"} \
    "$home/bin/elasticsearch-users" useradd "$1" -p "$2" -r superuser
}

# Up, and its indices recovered. 401: security is on, so it is up.
ready_elasticsearch() {
  case $(http_status "$1" '/_cluster/health?wait_for_status=yellow&timeout=1s') in
    200 | 401) return 0 ;;
    408) ((++recovering > 20)) && tell elasticsearch "an index is still red: not waiting for it" ;;
    *) return 1 ;;
  esac
}
recovering=0
