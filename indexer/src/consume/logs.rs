//! What is known of the log of each partition, beside its records: which topic it is of, what stood before the committed
//! offset, where it has gaps, where it ends. Pure.

use kafka::position::{NextOffset, Partition};

use super::gaps::Gaps;
use super::identity::{self, Identity};
use super::lag::Lag;
use super::marks::Marks;
use super::positions::Positions;

/// The logs of the assigned partitions. What is known of one ends with its assignment, all of it at once.
#[derive(Debug, Default)]
pub(super) struct Logs {
    pub(super) identity: Identity,
    pub(super) marks: Marks,
    pub(super) gaps: Gaps,
    pub(super) lag: Lag,
    pub(super) positions: Positions,
}

impl Logs {
    /// Begins `partition` at `next`, or where the client begins: nothing of an earlier assignment counts, except for
    /// the topic that its offsets are of.
    pub(super) fn begin(&mut self, partition: Partition, next: Option<NextOffset>) {
        self.gaps.forget(partition);
        self.marks.forget(partition);
        self.lag.forget(partition);
        if let Some(next) = next {
            self.lag.note_committed(partition, next);
        }
    }

    /// Forgets `partition`: it is no longer assigned.
    pub(super) fn revoke(&mut self, partition: Partition) {
        self.identity.revoke(partition);
        self.begin(partition, None);
    }

    /// Returns the metadata of a commit: which topic `next` is of, what stands before it, and the `note` of a command.
    pub(super) fn metadata(&self, partition: Partition, next: NextOffset, note: Option<&str>) -> Option<String> {
        let (topic, mark) = (self.identity.metadata(partition), self.marks.metadata(partition, next));
        identity::joined([topic, mark, note.map(str::to_owned)])
    }
}

#[cfg(test)]
mod tests;
