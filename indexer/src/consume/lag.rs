//! Counts how many records of each partition wait. Pure.

use std::collections::BTreeMap;

use kafka::position::{NextOffset, Partition};

/// Holds the log ends and committed offsets of the assigned partitions.
#[derive(Debug, Default)]
pub(super) struct Lag {
    /// Where the logs begin and end, as of the last survey.
    ends: BTreeMap<Partition, (NextOffset, NextOffset)>,
    /// The committed offsets.
    committed: BTreeMap<Partition, NextOffset>,
}

impl Lag {
    /// Notes that the log of `partition` begins at `start` and ends before `end`.
    pub(super) fn note(&mut self, partition: Partition, start: NextOffset, end: NextOffset) {
        self.ends.insert(partition, (start, end));
    }

    /// Notes that `next` was committed for `partition`.
    pub(super) fn note_committed(&mut self, partition: Partition, next: NextOffset) {
        self.committed.insert(partition, next);
    }

    /// Forgets `partition`, which is no longer assigned or has another log.
    pub(super) fn forget(&mut self, partition: Partition) {
        self.ends.remove(&partition);
        self.committed.remove(&partition);
    }

    /// Returns how many records wait, counted from the committed offset. If that was deleted or nothing was
    /// committed, counts from the start of the log. `None` while the ends are unknown.
    pub(super) fn of(&self, partition: Partition) -> Option<i64> {
        let (start, end) = self.ends.get(&partition)?;
        let committed = self.committed.get(&partition).unwrap_or(start).max(start);
        Some((end.0 - committed.0).max(0))
    }
}

#[cfg(test)]
mod tests;
