//! Combines what this member has of its topic: the client, the partitions, and the metrics. Steps that need several
//! of them are here.

use std::time::{Duration, Instant};

use kafka::position::{NextOffset, Partition};
use rdkafka::TopicPartitionList;
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::Offset as Position;

use super::figures::Figures;
use super::partitions::Partitions;
use super::reading::Reading;
use super::subscription::{Subscription, partitions_of};
use super::survey;
use crate::metrics::Metrics;
use crate::tasks::Tasks;

/// The outcome of taking partitions over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TakeOver {
    /// The partitions are being read.
    Done,
    /// Their committed offsets are not known yet: nothing was taken over.
    OffsetsUnknown,
    /// The client refused.
    Failed,
}

/// A topic that is being read.
pub(super) struct Topic {
    pub(super) subscription: Subscription,
    pub(super) partitions: Partitions,
    pub(super) figures: Figures,
}

impl Topic {
    /// Creates the topic of `subscription`, without assigned partitions.
    pub(super) fn new(subscription: Subscription, reading: Reading, metrics: Metrics) -> Self {
        let figures = Figures::new(subscription.topic(), metrics);
        Self { subscription, partitions: Partitions::new(reading), figures }
    }

    /// Returns the name of the topic.
    pub(super) fn name(&self) -> &str {
        self.subscription.topic()
    }

    /// Takes over the partitions of `list` at their committed offsets.
    pub(super) fn assign(&mut self, list: &TopicPartitionList) -> TakeOver {
        let partitions = partitions_of(list);
        let begins = match self.look_up_beginnings(&partitions) {
            Ok(begins) => begins,
            Err(error) => {
                tracing::warn!(
                    topic = self.name(), partitions = numbers(&partitions), %error,
                    "Cannot read the committed offsets of the assigned partitions; trying again before they are read."
                );
                return TakeOver::OffsetsUnknown;
            }
        };
        if let Err(error) = self.subscription.assign(&begins) {
            tracing::error!(topic = self.name(), %error, "Cannot take over the assigned partitions.");
            return TakeOver::Failed;
        }
        for partition in partitions.iter().filter(|partition| self.partitions.reading.is_closed(**partition)) {
            self.pause_closed(*partition);
        }
        self.partitions.logs.positions.distrust(&self.subscription.positions(), &partitions);
        if self.subscription.is_paused()
            && let Err(error) = self.subscription.pause(&partitions)
        {
            tracing::warn!(topic = self.name(), %error, "Cannot pause the assigned partitions.");
        }
        self.figures.rebalanced("assigned");
        self.note_assignment("Partitions were assigned.", &partitions);
        TakeOver::Done
    }

    /// Releases the partitions of `list`, here and in `tasks`.
    pub(super) fn release(&mut self, list: &TopicPartitionList, tasks: &Tasks) {
        let partitions = partitions_of(list);
        for partition in &partitions {
            if let Some(epoch) = self.partitions.revoke(*partition) {
                tasks.revoke(*partition, epoch);
            }
            self.figures.forget(*partition);
        }
        if let Err(error) = self.subscription.release(list) {
            tracing::error!(topic = self.name(), %error, "Cannot release the revoked partitions.");
        }
        self.note_assignment("Partitions were revoked.", &partitions);
    }

    /// Reads `partitions` from their beginning, for `reason`.
    pub(super) fn rewind(&mut self, partitions: &[Partition], reason: &str) {
        let found = match self.subscription.rewind(partitions) {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(topic = self.name(), %error, "Cannot rewind the partitions; trying again.");
                return;
            }
        };
        for partition in &found {
            self.partitions.begin_at_start(*partition);
            self.figures.log_reset(reason);
        }
        self.partitions.logs.positions.distrust(&self.subscription.positions(), &found);
        // Partitions that were paused for waiting records no longer have any.
        if let Err(error) = self.subscription.resume(&found) {
            tracing::warn!(topic = self.name(), %error, "Cannot resume the partitions.");
        }
    }

    /// Lets the client begin the partitions again of which it has delivered nothing for long, where reading stands.
    pub(super) fn take_up_stalled(&mut self) {
        let stalled = self.partitions.logs.stalls.take().into_iter();
        // A record of it may have begun to wait meanwhile.
        let still = stalled.filter(|partition| self.subscription.may_deliver() && self.partitions.is_free(*partition));
        for partition in still.collect::<Vec<_>>() {
            let at = self.partitions.books.read_position(partition);
            tracing::error!(
                topic = self.name(),
                partition = partition.0,
                offset = at.map(|at| at.0),
                "The Kafka client has delivered nothing of a partition for minutes, although it has records: it begins \
                 the partition again."
            );
            let from = at.map_or(Position::Beginning, |at| Position::Offset(at.0));
            match self.subscription.take_up_again(partition, from) {
                Ok(()) => self.partitions.logs.positions.distrust(&self.subscription.positions(), &[partition]),
                Err(error) => tracing::warn!(topic = self.name(), %error, "Cannot begin the partition again."),
            }
        }
    }

    /// Advances past offsets without records, up to the client's positions.
    pub(super) fn pass_what_is_no_record(&mut self) {
        self.partitions.pass(self.subscription.positions());
        self.partitions.books.builder.open_with(Instant::now);
    }

    /// Pauses all assigned partitions. Returns whether the client succeeded.
    pub(super) fn pause(&mut self) -> bool {
        let assigned: Vec<Partition> = self.partitions.books.ledger.assigned().collect();
        let outcome = self.subscription.pause_all(&assigned);
        self.note_pause(outcome, "Cannot pause the partitions.")
    }

    /// Resumes all free partitions. Returns whether the client succeeded.
    pub(super) fn resume(&mut self) -> bool {
        let assigned = self.partitions.books.ledger.assigned();
        let free: Vec<Partition> = assigned.filter(|partition| self.partitions.is_free(*partition)).collect();
        let outcome = self.subscription.resume_all(&free);
        self.note_pause(outcome, "Cannot resume the partitions.")
    }

    /// Stops fetching `partition`, because its range is read to the end.
    pub(super) fn pause_closed(&self, partition: Partition) {
        if let Err(error) = self.subscription.pause(&[partition]) {
            tracing::warn!(topic = self.name(), %error, partition = partition.0, "A partition that was read to its end could not be paused.");
        }
    }

    /// Fetches `partition` again if it is free: none of its records waits any longer.
    pub(super) fn resume_free(&self, partition: Partition) {
        if self.partitions.is_free(partition)
            && let Err(error) = self.subscription.resume(&[partition])
        {
            tracing::warn!(topic = self.name(), %error, partition = partition.0, "Cannot resume a partition that no longer waits.");
        }
    }

    /// Updates the metrics of what is held, `held_bytes` in total, and of what waits.
    pub(super) fn measure(&mut self, held_bytes: usize) {
        self.measure_lag();
        self.figures.held(held_bytes);
        self.figures.parked(self.partitions.books.parked.counts());
    }

    /// Updates the metrics of each assigned partition.
    pub(super) fn measure_lag(&mut self) {
        let now = Instant::now();
        let (books, lag) = (&self.partitions.books, &mut self.partitions.logs.lag);
        for partition in books.ledger.assigned() {
            let held = books.held_since(partition).map_or(Duration::ZERO, |since| now.duration_since(since));
            let unread = lag.unread(partition, books.builder.next(partition), now);
            self.figures.lag(partition, lag.of(partition), held.max(unread));
        }
    }

    /// Looks up the committed offsets of `partitions`, and begins them there. Returns where to read from.
    ///
    /// # Errors
    /// If an offset is not answered in time. The client could look it up itself, but only its metadata shows whether it
    /// belongs to this topic and this log.
    fn look_up_beginnings(&mut self, partitions: &[Partition]) -> KafkaResult<TopicPartitionList> {
        let begins = self.subscription.list(partitions);
        if partitions.is_empty() {
            return Ok(begins);
        }
        let committed = self.subscription.committed(partitions)?;
        if let Some(id) = survey::ask_topic_id(self.subscription.client(), self.name()) {
            self.partitions.logs.identity.note(id);
        }
        for (element, mut begin) in committed.elements().into_iter().zip(begins.elements()) {
            let partition = Partition(element.partition());
            let committed = match element.offset() {
                Position::Offset(offset) => Some(NextOffset(offset)),
                _ => None,
            };
            let beginning = self.partitions.assign(partition, committed, element.metadata());
            if beginning.is_of_old_topic {
                self.report_old_topic(partition);
            }
            if let Err(error) = begin.set_offset(beginning.position) {
                tracing::error!(topic = self.name(), %error, "Cannot set the offsets to read from.");
            }
        }
        Ok(begins)
    }

    fn report_old_topic(&self, partition: Partition) {
        tracing::error!(
            topic = self.name(),
            partition = partition.0,
            "The committed offset belongs to a deleted topic of this name: the partition is read from its beginning."
        );
        self.figures.log_reset("recreated");
    }

    fn note_pause(&self, outcome: KafkaResult<()>, failure: &str) -> bool {
        match outcome {
            Ok(()) => self.figures.paused(self.subscription.is_paused()),
            Err(ref error) => tracing::warn!(topic = self.name(), %error, "{failure}"),
        }
        outcome.is_ok()
    }

    fn note_assignment(&self, what: &str, changed: &[Partition]) {
        let assigned = self.partitions.books.ledger.assigned().count();
        self.figures.assigned(assigned);
        tracing::info!(topic = self.name(), partitions = numbers(changed), assigned, "{what}");
    }
}

/// Returns the numbers of `partitions` for a log line.
pub(super) fn numbers(partitions: &[Partition]) -> String {
    partitions.iter().map(Partition::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
