//! Where the offsets of a partition did not go on: seen while reading, kept for the next survey of the log. Pure.

use kafka::position::{NextOffset, Offset, Partition};

/// The most jumps that are kept: with more of them, as transactions of single records make, losses may be undercounted.
const MAX_JUMPS: usize = 10_000;

/// The next record was not the one that follows the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Jump {
    pub(super) partition: Partition,
    /// Where reading stood.
    pub(super) from: NextOffset,
    /// The record that came.
    pub(super) to: Offset,
}

/// The jumps since the last survey.
#[derive(Debug, Default)]
pub(super) struct Jumps(Vec<Jump>);

impl Jump {
    /// Returns whether the record stands before where reading stood.
    pub(super) fn is_back(self) -> bool {
        self.to.0 < self.from.0
    }
}

impl Jumps {
    /// Keeps `jump`, if there is room.
    pub(super) fn note(&mut self, jump: Jump) {
        if self.0.len() < MAX_JUMPS {
            self.0.push(jump);
        }
    }

    /// Takes those that were noted since the last call.
    pub(super) fn take(&mut self) -> Vec<Jump> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests;
