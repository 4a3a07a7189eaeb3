//! Offsets to Kafka: only what the ledger hands out (P3).

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{CommitMode, Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::Offset;
use shared::position::{NextOffset, Partition};

/// Commits `offsets` of `topic`. With [`CommitMode::Async`] the outcome comes by the consumer's `commit_callback`.
///
/// # Errors
/// When the request cannot be made, or with [`CommitMode::Sync`] when Kafka refuses it.
pub fn commit<C: ConsumerContext>(
    consumer: &impl Consumer<C>,
    topic: &str,
    offsets: &[(Partition, NextOffset)],
    mode: CommitMode,
) -> KafkaResult<()> {
    if offsets.is_empty() {
        return Ok(());
    }
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (partition, next) in offsets {
        list.add_partition_offset(topic, partition.0, Offset::Offset(next.0))?;
    }
    consumer.commit(&list, mode)
}
