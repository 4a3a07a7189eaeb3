//! Sets the metrics of one topic. A new metric of the thread is one more method here.

use std::time::Duration;

use kafka::position::Partition;

use crate::batch::Batch;
use crate::metrics::{Metrics, as_i64};

/// Holds the metrics with the labels of one topic.
#[derive(Debug)]
pub(super) struct Figures {
    topic: String,
    metrics: Metrics,
}

impl Figures {
    /// Creates the metrics of `topic`.
    pub(super) fn new(topic: &str, metrics: Metrics) -> Self {
        Self { topic: topic.to_owned(), metrics }
    }

    /// Counts `records` that were taken from Kafka.
    pub(super) fn consumed(&self, records: usize) {
        self.metrics.consumed.inc_by(records as u64);
    }

    /// Counts `batch`, which is sent.
    pub(super) fn dispatched(&self, batch: &Batch) {
        self.metrics.consume.dispatched(&self.topic, batch.items.len(), batch.body.len());
    }

    /// Sets how many `bytes` are held.
    pub(super) fn held(&self, bytes: usize) {
        self.metrics.held_bytes.with_label_values(&[&self.topic]).set(as_i64(bytes));
    }

    /// Sets whether consuming is paused because the memory limit is reached.
    pub(super) fn paused(&self, is_paused: bool) {
        self.metrics.paused.with_label_values(&[&self.topic]).set(i64::from(is_paused));
    }

    /// Counts a change of the assignment.
    pub(super) fn rebalanced(&self, kind: &str) {
        self.metrics.consume.rebalances.with_label_values(&[self.topic.as_str(), kind]).inc();
    }

    /// Sets how many `partitions` are assigned.
    pub(super) fn assigned(&self, partitions: usize) {
        self.metrics.assigned_partitions.with_label_values(&[&self.topic]).set(as_i64(partitions));
    }

    /// Counts a commit that has ended.
    pub(super) fn committed(&self) {
        self.metrics.consume.commits.with_label_values(&[&self.topic]).inc();
    }

    /// Counts a commit that failed.
    pub(super) fn commit_failed(&self) {
        self.metrics.consume.commit_failures.with_label_values(&[&self.topic]).inc();
    }

    /// Counts a partition that was parked for `reason`.
    pub(super) fn began_to_wait(&self, reason: &str) {
        self.metrics.placement.parked.with_label_values(&[self.topic.as_str(), reason]).inc();
    }

    /// Sets how many partitions are parked, by reason.
    pub(super) fn parked(&self, counts: [(&str, usize); 2]) {
        for (reason, count) in counts {
            self.metrics.consume.parked.with_label_values(&[self.topic.as_str(), reason]).set(as_i64(count));
        }
    }

    /// Counts a partition that is read again from an earlier offset, for `reason`.
    pub(super) fn log_reset(&self, reason: &str) {
        self.metrics.log_resets.with_label_values(&[self.topic.as_str(), reason]).inc();
    }

    /// Counts `records` that retention deleted before they were indexed.
    pub(super) fn lost(&self, records: u64) {
        self.metrics.lost_records.with_label_values(&[&self.topic]).inc_by(records);
    }

    /// Sets how many records of `partition` wait, if that is known, and for how long they have waited without progress.
    pub(super) fn lag(&self, partition: Partition, records: Option<i64>, waited: Duration) {
        let number = partition.to_string();
        let labels = [self.topic.as_str(), number.as_str()];
        if let Some(records) = records {
            self.metrics.lag.with_label_values(&labels).set(records);
        }
        self.metrics.oldest_unsettled.with_label_values(&labels).set(waited.as_secs_f64());
    }

    /// Removes the metrics of `partition`, which another member has now.
    pub(super) fn forget(&self, partition: Partition) {
        let number = partition.to_string();
        let labels = [self.topic.as_str(), number.as_str()];
        // Removing fails if nothing was set, which is fine.
        self.metrics.lag.remove_label_values(&labels).ok();
        self.metrics.oldest_unsettled.remove_label_values(&labels).ok();
    }
}

#[cfg(test)]
mod tests;
