//! Finds the topics that accept no records, in Kafka's metadata.

use std::collections::HashMap;
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use rdkafka::producer::Producer as _;

use super::health::UnwritableTopic;
use super::rules::Rule;
use super::{ProduceError, Producer};

/// The leader and the replicas of a partition, by the metadata.
#[derive(Clone, Copy, Debug)]
struct Replication {
    has_leader: bool,
    replicas: usize,
    in_sync: usize,
}

impl Replication {
    fn of(partition: &MetadataPartition) -> Self {
        let (replicas, in_sync) = (partition.replicas().len(), partition.isr().len());
        Self { has_leader: partition.leader() >= 0, replicas, in_sync }
    }
}

/// Returns those of `topics` that the cluster does not have or that have no partition that accepts records, with the
/// reason.
///
/// # Errors
/// When the cluster does not answer within `timeout`.
pub(super) fn unwritable_topics(
    producer: &Producer,
    brokers: &str,
    topics: &[String],
    timeout: Duration,
) -> Result<HashMap<String, UnwritableTopic>, String> {
    let client = producer.client.load_full();
    let mut unwritable = HashMap::new();
    for topic in topics {
        let metadata = client
            .client()
            .fetch_metadata(Some(topic), timeout)
            .map_err(|error| format!("kafka.brokers: {brokers} does not answer: {error}"))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let rule = producer.shared.rules.of(topic);
        let code = found.and_then(MetadataTopic::error).map(RDKafkaErrorCode::from);
        let (why, error) = match (found, code) {
            (Some(found), None) => match obstacle(found.partitions().iter().map(Replication::of), rule) {
                None => continue,
                Some(obstacle) => (format!("topic {topic}: {obstacle}"), ProduceError::Unavailable),
            },
            (None, _) | (_, Some(RDKafkaErrorCode::UnknownTopicOrPartition)) => (
                format!("no topic {topic} at {brokers}: create it, or set kafka.create_topics"),
                ProduceError::Blocked(RDKafkaErrorCode::UnknownTopicOrPartition),
            ),
            (Some(_), Some(code)) => {
                let error = ProduceError::of(&KafkaError::MetadataFetch(code));
                (format!("topic {topic} at {brokers}: {code}"), error)
            }
        };
        unwritable.insert(topic.clone(), UnwritableTopic { why, error });
    }
    Ok(unwritable)
}

/// Returns why none of the `partitions` of a topic with this `rule` accepts records, or `None` if one does.
///
/// While fewer replicas are in sync than `min.insync.replicas`, Kafka refuses a producer that waits for all of them
/// (`NotEnoughReplicas`), and each record would wait in vain until its time is over. If a partition has fewer replicas
/// than that, all of them suffice (since Kafka 3.7, KAFKA-15583). The leader is always in sync, so a cluster that lists
/// no replica in sync does not report them.
fn obstacle(partitions: impl Iterator<Item = Replication>, rule: Option<Rule>) -> Option<&'static str> {
    let min_in_sync = rule.map_or(0, |rule| rule.min_in_sync);
    let mut led = partitions.filter(|partition| partition.has_leader).peekable();
    if led.peek().is_none() {
        return Some("no broker leads a partition");
    }
    let accepts =
        |partition: Replication| partition.in_sync == 0 || partition.in_sync >= min_in_sync.min(partition.replicas);
    (!led.any(accepts)).then_some("no partition has as many replicas in sync as min.insync.replicas requires")
}

#[cfg(test)]
mod tests;
