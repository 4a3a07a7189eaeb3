//! Commits the offsets that the ledger hands out, one request at a time.
//!
//! librdkafka reports the result of an asynchronous commit only to a callback, which rdkafka 0.39 does not set. So
//! each commit waits for its answer on a thread of its own. A failed commit is retried, and the lag counts committed
//! offsets, not requested ones.

use std::sync::Arc;

use kafka::position::{NextOffset, Partition};
use rdkafka::TopicPartitionList;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use service::admin::Condition;

use super::topic::Topic;
use crate::commit::{commit, list_of};
use crate::message::report::Report;
use crate::tasks::Tasks;

/// Commits settled offsets, with at most one commit in flight.
#[derive(Debug)]
pub(super) struct Committer {
    /// Met when Kafka has answered a commit.
    kafka: Condition,
    is_committing: bool,
    /// Whether Kafka has refused the metadata of a commit, so that commits carry none.
    without_metadata: bool,
}

/// The offsets of one commit.
struct Commit {
    offsets: Vec<(Partition, NextOffset)>,
    list: KafkaResult<TopicPartitionList>,
}

impl Committer {
    /// Creates a committer with nothing in flight.
    pub(super) fn new(kafka: Condition) -> Self {
        Self { kafka, is_committing: false, without_metadata: false }
    }

    /// Returns whether a commit is in flight.
    pub(super) fn is_committing(&self) -> bool {
        self.is_committing
    }

    /// Starts to commit the settled offsets of `topic`, unless a commit is in flight.
    pub(super) fn begin(&mut self, topic: &mut Topic, tasks: &Tasks) {
        if self.is_committing {
            return;
        }
        let Some(Commit { offsets, list }) = Commit::next(topic, !self.without_metadata) else { return };
        let client = Arc::clone(topic.subscription.client());
        self.is_committing = true;
        tasks.wait_for_kafka(move || {
            let outcome = list.and_then(|list| commit(&*client, &list));
            Report::Committed(offsets, outcome)
        });
    }

    /// Commits the settled offsets of `topic`, and waits for the answer.
    pub(super) fn commit_now(&mut self, topic: &mut Topic) {
        let Some(Commit { offsets, list }) = Commit::next(topic, !self.without_metadata) else { return };
        let outcome = list.and_then(|list| commit(&**topic.subscription.client(), &list));
        self.end(&offsets, outcome, topic);
    }

    /// Handles the result of a commit.
    pub(super) fn end(&mut self, offsets: &[(Partition, NextOffset)], outcome: KafkaResult<()>, topic: &mut Topic) {
        self.is_committing = false;
        topic.figures.committed();
        match outcome {
            Ok(()) => {
                self.kafka.met();
                topic.partitions.committed(offsets);
            }
            Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::OffsetMetadataTooLarge)) if !self.without_metadata => {
                self.without_metadata = true;
                tracing::error!(
                    topic = topic.name(),
                    "Kafka refuses the metadata of commits: offset.metadata.max.bytes of the brokers is less than 64. \
                     Offsets are committed without it until the indexer is restarted; a topic that is created again, \
                     or a log that is truncated, goes unnoticed while no indexer runs."
                );
                topic.partitions.books.ledger.commit_failed();
            }
            Err(error) => {
                topic.figures.commit_failed();
                tracing::warn!(%error, topic = topic.name(), "A commit failed; the next one retries it.");
                topic.partitions.books.ledger.commit_failed();
            }
        }
    }
}

impl Commit {
    /// Returns the settled offsets of `topic` that are not committed, or `None` if there are none. They carry metadata
    /// if `with_metadata`.
    fn next(topic: &mut Topic, with_metadata: bool) -> Option<Self> {
        let offsets = topic.partitions.take_commits();
        if offsets.is_empty() {
            return None;
        }
        let partitions = &topic.partitions;
        let metadata = |partition, next| partitions.metadata(partition, next).filter(|_| with_metadata);
        let list = list_of(topic.name(), &offsets, metadata);
        Some(Self { offsets, list })
    }
}

#[cfg(test)]
mod tests;
