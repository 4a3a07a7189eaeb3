//! What the metrics say of each partition: how many records wait, and since when the oldest that was read is not
//! settled.

use std::collections::BTreeMap;

use kafka::position::NextOffset;

use super::*;

/// What is known of the assigned partitions.
#[derive(Debug, Default)]
pub(super) struct Lag {
    /// Where their logs begin and end, as of the last survey.
    ends: BTreeMap<Partition, (NextOffset, NextOffset)>,
    /// What is committed.
    committed: BTreeMap<Partition, NextOffset>,
}

impl Lag {
    /// Notes that the log of `partition` begins at `start` and ends before `end`.
    pub(super) fn note(&mut self, partition: Partition, start: NextOffset, end: NextOffset) {
        self.ends.insert(partition, (start, end));
    }

    /// Notes that `next` is committed for `partition`.
    pub(super) fn note_committed(&mut self, partition: Partition, next: NextOffset) {
        self.committed.insert(partition, next);
    }

    /// Forgets `partition`: it is no longer assigned, or is another log.
    pub(super) fn forget(&mut self, partition: Partition) {
        self.ends.remove(&partition);
        self.committed.remove(&partition);
    }

    /// Returns how many records wait: from what is committed, or where that was deleted or never was, from the start of
    /// the log. None while its ends are not known.
    fn of(&self, partition: Partition) -> Option<i64> {
        let (start, end) = self.ends.get(&partition)?;
        let committed = self.committed.get(&partition).unwrap_or(start).max(start);
        Some((end.0 - committed.0).max(0))
    }
}

impl Consumer {
    /// Sets the metrics of each assigned partition.
    pub(super) fn measure_lag(&self) {
        let now = Instant::now();
        for partition in self.books.ledger.assigned() {
            let number = partition.to_string();
            let labels = [self.topic.as_str(), number.as_str()];
            if let Some(lag) = self.lag.of(partition) {
                self.metrics.lag.with_label_values(&labels).set(lag);
            }
            let held = self.books.held_since(partition).map_or(Duration::ZERO, |since| now.duration_since(since));
            self.metrics.oldest_unsettled.with_label_values(&labels).set(held.as_secs_f64());
        }
    }

    /// Takes the metrics of `partition` back: another member has it.
    pub(super) fn unmeasure(&mut self, partition: Partition) {
        self.lag.forget(partition);
        let number = partition.to_string();
        let labels = [self.topic.as_str(), number.as_str()];
        // There is nothing to remove where nothing was set.
        self.metrics.lag.remove_label_values(&labels).ok();
        self.metrics.oldest_unsettled.remove_label_values(&labels).ok();
    }
}

#[cfg(test)]
mod tests;
