//! Notes where the offsets of a partition jumped, for the next survey of the log. Pure.

use kafka::position::{NextOffset, Offset, Partition};

/// The most jumps that are kept. Beyond it, for example with transactions of single records, losses may be
/// undercounted.
const MAX_JUMPS: usize = 10_000;

/// A record that did not directly follow the previous one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Jump {
    pub(super) partition: Partition,
    /// The expected offset.
    pub(super) from: NextOffset,
    /// The offset of the record that arrived.
    pub(super) to: Offset,
}

/// Collects the jumps since the last survey.
#[derive(Clone, Debug, Default)]
pub(super) struct Jumps(Vec<Jump>);

impl Jump {
    /// Returns whether the record's offset is before the expected one.
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

    /// Takes the jumps that were noted since the last call.
    pub(super) fn take(&mut self) -> Vec<Jump> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests;
