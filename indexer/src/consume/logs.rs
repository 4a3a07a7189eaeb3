//! Holds what is known about the log of each partition, apart from its records: its topic, the record before the
//! committed offset, its gaps, its end, the open transaction that ends it, and whether reading stands still. Pure.

use kafka::position::{NextOffset, Partition};

use super::gaps::Gaps;
use super::identity::{self, Identity};
use super::lag::Lag;
use super::marks::Marks;
use super::positions::Positions;
use super::stalls::Stalls;
use super::transactions::OpenTransactions;

/// Holds the logs of the assigned partitions. The knowledge about a log ends with its assignment.
#[derive(Debug, Default)]
pub(super) struct Logs {
    pub(super) identity: Identity,
    pub(super) marks: Marks,
    pub(super) gaps: Gaps,
    pub(super) lag: Lag,
    pub(super) transactions: OpenTransactions,
    pub(super) positions: Positions,
    pub(super) stalls: Stalls,
}

impl Logs {
    /// Begins `partition` at `next`, or where the client begins. Discards what is known from an earlier assignment,
    /// except for the topic of its offsets.
    pub(super) fn begin(&mut self, partition: Partition, next: Option<NextOffset>) {
        self.gaps.forget(partition);
        self.marks.forget(partition);
        self.lag.forget(partition);
        self.transactions.forget(partition);
        self.stalls.forget(partition);
        if let Some(next) = next {
            self.lag.note_committed(partition, next);
        }
    }

    /// Forgets `partition`, which is no longer assigned.
    pub(super) fn revoke(&mut self, partition: Partition) {
        self.identity.revoke(partition);
        self.begin(partition, None);
    }

    /// Returns the metadata of a commit: the topic of `next`, the record before it, and the `note` of a command.
    pub(super) fn metadata(&self, partition: Partition, next: NextOffset, note: Option<&str>) -> Option<String> {
        let (topic, mark) = (self.identity.metadata(partition), self.marks.metadata(partition, next));
        identity::joined([topic, mark, note.map(str::to_owned)])
    }
}

#[cfg(test)]
mod tests;
