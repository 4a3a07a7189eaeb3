//! How many records of each partition wait. Pure.

use std::collections::BTreeMap;

use kafka::position::{NextOffset, Partition};

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
    pub(super) fn of(&self, partition: Partition) -> Option<i64> {
        let (start, end) = self.ends.get(&partition)?;
        let committed = self.committed.get(&partition).unwrap_or(start).max(start);
        Some((end.0 - committed.0).max(0))
    }
}

#[cfg(test)]
mod tests;
