//! `kafka`.

use super::{Part, Problems};
use crate::config::Kafka;

pub(super) fn check(kafka: &Kafka, part: Part, problems: &mut Problems) {
    for broker in kafka.brokers.split(',') {
        let broker = broker.trim();
        if broker.is_empty() || broker.contains(char::is_whitespace) {
            problems.add("kafka.brokers", "must be host:port, several separated by commas");
        }
    }
    problems.topic("kafka.topic", &kafka.topic);
    if part.indexer() {
        problems.topic("kafka.dead_letter_topic", &kafka.dead_letter_topic);
        if kafka.dead_letter_topic == kafka.topic {
            let message =
                "must not be kafka.topic: dead letters would be consumed, fail and be written again without end";
            problems.add("kafka.dead_letter_topic", message);
        }
    }
    if let Some(create) = kafka.create_topics {
        if create.partitions < 1 {
            problems.add("kafka.create_topics.partitions", "must be at least 1");
        }
        if create.replication_factor < 1 {
            problems.add("kafka.create_topics.replication_factor", "must be at least 1");
        }
    }
    problems.not_zero("kafka.timeout", kafka.timeout);
    for (key, value) in &kafka.options {
        if let Some(reason) = refusal(key, value.trim()) {
            problems.add(format_args!("kafka.options.{key}"), reason);
        }
    }
}

/// Why `key`, a setting of librdkafka or its other name there, must not have this value: it would break a promise, or undo a key of
/// ours.
fn refusal(key: &str, value: &str) -> Option<&'static str> {
    Some(match (key, value) {
        ("acks" | "request.required.acks", "all" | "-1")
        | ("enable.idempotence", "true")
        | ("delivery.report.only.error", "false")
        | ("auto.offset.reset", "earliest" | "smallest" | "beginning") => return None,
        ("acks" | "request.required.acks", _) => "must be all: a 200 means that every in-sync replica has the event",
        ("enable.idempotence", _) => "must be true: without it a retry writes an event twice or out of order",
        ("delivery.report.only.error", _) => "must be false: an event counts as taken when its delivery is reported",
        ("auto.offset.reset", _) => "must be earliest: a new group would skip what is in the topic",
        ("bootstrap.servers" | "metadata.broker.list", _) => "is set by kafka.brokers",
        ("group.id", _) => "is set by indexer.group_id",
        ("group.instance.id", _) => "is set by indexer.group_instance_id",
        ("group.protocol" | "partition.assignment.strategy", _) => "is set by indexer.group_protocol",
        ("enable.gapless.guarantee", _) => "would stop the producer for good when one event runs out of time",
        ("transactional.id", _) => "is not used: events are produced without transactions",
        ("message.timeout.ms" | "delivery.timeout.ms", _) => {
            "follows from receiver.request_timeout, so that no request hangs"
        }
        ("enable.auto.commit" | "auto.commit.enable" | "auto.commit.interval.ms", _) => {
            "is not used: offsets are committed past settled events only, every indexer.commit_interval"
        }
        ("enable.auto.offset.store" | "offset.store.method" | "offset.store.path", _) => {
            "is not used: offsets are committed past settled events only"
        }
        ("enable.partition.eof", _) => "is not used",
        _ => return None,
    })
}
