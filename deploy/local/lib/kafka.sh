# shellcheck shell=bash disable=SC2034,SC2154
# Kafka: one node that is broker and controller (KRaft). Sourced by ../stack.

kafka_version=4.3.1
kafka_size="44 MB"

check_kafka() { kafka_java=$(find_java kafka 17); }

finish_kafka() {
  # Formatting a data folder takes a JVM of its own; done once here, copied for each new stack.
  local new=$1
  printf '%s\n' process.roles=broker,controller node.id=1 controller.quorum.voters=1@127.0.0.1:1 \
    controller.listener.names=CONTROLLER listeners=PLAINTEXT://127.0.0.1:2,CONTROLLER://127.0.0.1:1 \
    log.dirs="$new/formatted" >"$new/format.properties"
  "$(find_java kafka 17)/bin/java" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$new/lib/*" \
    kafka.tools.StorageTool format --cluster-id "$(random_id)" --config "$new/format.properties"
  [[ -f $new/formatted/bootstrap.checkpoint ]] && rm "$new/format.properties" "$new/formatted/meta.properties"
}

# 16 random bytes as Kafka writes them: 22 letters of base64url.
random_id() { printf '%sA' "$(head -c 48 /dev/urandom | base64 | tr -d '+/=\n' | cut -c1-21)"; }

start_kafka() {
  local home data="$STACK_DIR/kafka" controller internal
  home=$(home_of kafka "$kafka_version")
  controller=$(free_port)
  internal=$(free_port)
  if [[ ! -f $data/meta.properties ]]; then
    mkdir -p "$data"
    cp "$home"/formatted/* "$data/"
    printf 'version=1\ncluster.id=%s\nnode.id=1\ndirectory.id=%s\n' "$(random_id)" "$(random_id)" >"$data/meta.properties"
  fi
  cat >"$run/kafka.properties" <<P
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
controller.listener.names=CONTROLLER
# Clients have a listener to themselves, so that KAFKA_EXTRA can give it TLS or SASL and leave Kafka's own traffic alone.
listeners=CLIENT://127.0.0.1:$KAFKA_PORT,INTERNAL://127.0.0.1:$internal,CONTROLLER://127.0.0.1:$controller
listener.security.protocol.map=CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=INTERNAL
log.dirs=$data
# A topic exists because somebody made it, with the partitions he wanted; a typing error is an error.
auto.create.topics.enable=false
# One broker: no copies. Few partitions of the internal topics, which are made at the first use: that is quicker.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
# A group of the classic protocol starts at once instead of waiting 3 s for more members.
group.initial.rebalance.delay.ms=0
# After a kill the controller lets the broker in again only when its old session is over (9 s by default).
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
# The log cleaner takes 128 MB of the heap at the start unless told otherwise.
log.cleaner.dedupe.buffer.size=16777216
# KAFKA_EXTRA: of two lines with the same key the last counts.
${KAFKA_EXTRA:-}
P
  cat >"$run/kafka-log4j2.properties" <<'P'
rootLogger.level = INFO
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
P
  # shellcheck disable=SC2086 # KAFKA_JAVA_OPTS is a list of words
  launch kafka "$KAFKA_PORT" "$kafka_java/bin/java" "-Xmx$KAFKA_HEAP" $quick_jvm ${KAFKA_JAVA_OPTS:-} \
    "-Dlog4j2.configurationFile=$run/kafka-log4j2.properties" -cp "$home/lib/*" kafka.Kafka "$run/kafka.properties"
}

# It logs this once it takes requests and its controller has let it in.
ready_kafka() { grep -q 'Kafka Server started' "$logs/kafka.log" && port_taken "$1"; }

# A command-line tool of Kafka, run at its internal listener: no TLS or SASL of KAFKA_EXTRA stands before that one.
kafka_tool() { # CLASS ARGUMENT...
  local internal
  internal=$(sed -n 's|^listeners=.*INTERNAL://\([^,]*\).*|\1|p' "$run/kafka.properties")
  "$(find_java kafka 17)/bin/java" -XX:TieredStopAtLevel=1 -cp "$(home_of kafka "$kafka_version")/lib/*" \
    "$1" --bootstrap-server "$internal" "${@:2}"
}
