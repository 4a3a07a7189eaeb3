//! Commits offsets to Kafka: only those that the ledger hands out (P3).

use kafka::position::{NextOffset, Partition};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{CommitMode, Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::Offset;

/// Returns `offsets` of `topic` as the list that a commit takes, each with the metadata that `metadata` returns for
/// it.
///
/// # Errors
/// When an offset is negative.
pub fn list_of(
    topic: &str,
    offsets: &[(Partition, NextOffset)],
    metadata: impl Fn(Partition, NextOffset) -> Option<String>,
) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (partition, next) in offsets {
        let mut element = list.add_partition(topic, partition.0);
        element.set_offset(Offset::Offset(next.0))?;
        if let Some(metadata) = metadata(*partition, *next) {
            element.set_metadata(metadata);
        }
    }
    Ok(list)
}

/// Commits `list` and waits for the answer.
///
/// # Errors
/// When Kafka refuses the commit or does not answer.
pub fn commit<C: ConsumerContext>(consumer: &impl Consumer<C>, list: &TopicPartitionList) -> KafkaResult<()> {
    consumer.commit(list, CommitMode::Sync)
}
