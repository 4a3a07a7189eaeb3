//! Asking for commits: what the ledger hands out, one request at a time.
//!
//! librdkafka tells nobody how an asynchronous commit ended unless it is given a callback, which rdkafka 0.39 does not
//! set. So a commit waits for its answer, on a thread of its own; a failed one is tried again, and the lag counts what
//! is committed, not what was sent.

use kafka::position::NextOffset;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::*;
use crate::commit::{commit, list_of};

impl Consumer {
    /// Begins to commit what is settled, unless a commit is in flight.
    pub(super) fn begin_commit(&mut self) {
        if self.is_committing || !self.reading.commits() {
            return;
        }
        let offsets = self.books.ledger.take_commits();
        if offsets.is_empty() {
            return;
        }
        let list = list_of(&self.topic, &offsets, |partition, next| self.metadata(partition, next));
        let consumer = Arc::clone(&self.consumer);
        self.is_committing = true;
        self.tasks.wait_for_kafka(move || {
            let outcome = list.and_then(|list| commit(&*consumer, &list));
            Report::Committed(offsets, outcome)
        });
    }

    /// Commits what is settled, and waits for it.
    pub(super) fn commit_now(&mut self) {
        if !self.reading.commits() {
            return;
        }
        let offsets = self.books.ledger.take_commits();
        if offsets.is_empty() {
            return;
        }
        let list = list_of(&self.topic, &offsets, |partition, next| self.metadata(partition, next));
        let outcome = list.and_then(|list| commit(&*self.consumer, &list));
        self.end_commit(&offsets, outcome);
    }

    /// Returns the metadata of a commit: which topic `next` is of, what stands before it, and the note of a command.
    fn metadata(&self, partition: Partition, next: NextOffset) -> Option<String> {
        let note = self.reading.note(partition).map(str::to_owned);
        identity::joined([self.identity.metadata(partition), self.marks.metadata(partition, next), note])
    }

    /// Takes up how a commit has ended.
    pub(super) fn end_commit(&mut self, offsets: &[(Partition, NextOffset)], outcome: KafkaResult<()>) {
        self.is_committing = false;
        self.metrics.consume.commits.with_label_values(&[&self.topic]).inc();
        match outcome {
            Ok(()) => {
                self.kafka.met();
                for (partition, next) in offsets {
                    // Of a partition that began again meanwhile, it says nothing.
                    if self.books.ledger.has_handed_out(*partition, *next) {
                        self.lag.note_committed(*partition, *next);
                    }
                }
            }
            Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => {
                self.metrics.consume.commit_failures.with_label_values(&[&self.topic]).inc();
                tracing::warn!(%error, topic = self.topic, "A commit failed; the next one retries it.");
                self.books.ledger.commit_failed();
            }
        }
    }
}
