# shellcheck shell=bash disable=SC2034,SC2154
# Kafka: one node that is broker and controller (KRaft), or three (BROKERS=3). Sourced by ../stack.

kafka_version=4.3.1
kafka_size="44 MB"

check_kafka() { kafka_java=$(find_java kafka 17); }

finish_kafka() {
  # Formatting a data folder needs a JVM of its own. It is done once here, and the result is copied for each new stack.
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

# The controllers of a cluster find each other by fixed ports, which are chosen once for all three.
kafka_voters() {
  [[ -f $run/kafka-voters ]] || printf '1@127.0.0.1:%s,2@127.0.0.1:%s,3@127.0.0.1:%s' \
    "$(free_port)" "$(free_port)" "$(free_port)" >"$run/kafka-voters"
  cat "$run/kafka-voters"
}

# Prints the cluster's id, which all members share.
kafka_cluster() {
  [[ -f $run/kafka-cluster ]] || random_id >"$run/kafka-cluster"
  cat "$run/kafka-cluster"
}

start_kafka() { # PART
  local part=$1 node home data="$STACK_DIR/$1" controller internal port voters advertised copies=1 in_sync=1
  node=$(number_of "$part")
  port=$(port_of "$part")
  home=$(home_of kafka "$kafka_version")
  controller=$(free_port)
  voters=1@127.0.0.1:$controller
  if [[ $BROKERS == 3 ]]; then
    copies=3 in_sync=2
    voters=$(kafka_voters)
    controller=${voters#*"$node@127.0.0.1:"}
    controller=${controller%%,*}
  fi
  internal=$(free_port)
  # The port that clients use if something is in front of the broker, such as a proxy of a test.
  advertised=$(port_variable "$part")
  advertised=${advertised%PORT}ADVERTISED_PORT
  advertised=${!advertised:-$port}
  if [[ ! -f $data/meta.properties ]]; then
    mkdir -p "$data"
    cp "$home"/formatted/* "$data/"
    printf 'version=1\ncluster.id=%s\nnode.id=%s\ndirectory.id=%s\n' "$(kafka_cluster)" "$node" "$(random_id)" >"$data/meta.properties"
  fi
  cat >"$run/$part.properties" <<P
process.roles=broker,controller
node.id=$node
controller.quorum.voters=$voters
controller.listener.names=CONTROLLER
# Clients have a listener to themselves, so that KAFKA_EXTRA can give it TLS or SASL and leave Kafka's own traffic alone.
listeners=CLIENT://127.0.0.1:$port,INTERNAL://127.0.0.1:$internal,CONTROLLER://127.0.0.1:$controller
advertised.listeners=CLIENT://127.0.0.1:$advertised,INTERNAL://127.0.0.1:$internal
listener.security.protocol.map=CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=INTERNAL
log.dirs=$data
# Topics are created on purpose, with the partitions they need; a misspelt name is an error.
auto.create.topics.enable=false
# One broker: one copy. The internal topics, which are created at first use, have few partitions: that is quicker.
default.replication.factor=$copies
min.insync.replicas=$in_sync
offsets.topic.replication.factor=$copies
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=$copies
transaction.state.log.min.isr=$in_sync
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=$copies
share.coordinator.state.topic.min.isr=$in_sync
share.coordinator.state.topic.num.partitions=4
# A group of the classic protocol starts immediately instead of waiting 3 s for more members.
group.initial.rebalance.delay.ms=0
# After a kill the controller lets the broker in again only when its old session is over (9 s by default).
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
# The log cleaner takes 128 MB of the heap at start by default.
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
  launch "$part" "$port" "$kafka_java/bin/java" "-Xmx$KAFKA_HEAP" $quick_jvm ${KAFKA_JAVA_OPTS:-} \
    "-Dlog4j2.configurationFile=$run/kafka-log4j2.properties" -cp "$home/lib/*" kafka.Kafka "$run/$part.properties"
}

# Kafka logs this line once it accepts requests and its controller has registered it.
ready_kafka() { grep -q 'Kafka Server started' "$logs/$2.log" && port_taken "$1"; } # PORT PART

# Runs a command-line tool of Kafka at the internal listener, to which TLS and SASL of KAFKA_EXTRA do not apply.
kafka_tool() { # CLASS ARGUMENT...
  local internal
  internal=$(sed -n 's|^listeners=.*INTERNAL://\([^,]*\).*|\1|p' "$run/kafka.properties")
  "$(find_java kafka 17)/bin/java" -XX:TieredStopAtLevel=1 -cp "$(home_of kafka "$kafka_version")/lib/*" \
    "$1" --bootstrap-server "$internal" "${@:2}"
}
