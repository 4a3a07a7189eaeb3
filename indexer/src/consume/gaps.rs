//! Finds offsets without records that retention deleted before they were read. Pure.
//!
//! Offsets also have gaps that are not losses: control records of transactions, aborted records, and compacted
//! records. But all offsets below the start of the log have been deleted.

use std::collections::BTreeMap;

use kafka::position::{NextOffset, Partition};

use super::jump::Jump;

/// Collects the gaps for one survey of the log. A survey covers only what was known when it began.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// Gaps between two consecutive records.
    jumps: Vec<Jump>,
    /// The read positions when the survey began.
    read_positions: BTreeMap<Partition, NextOffset>,
    /// The read positions of the survey before, if they were below the start of the log.
    stuck: BTreeMap<Partition, NextOffset>,
}

/// A range of records that were deleted before they were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) partition: Partition,
    /// The first lost offset.
    pub(super) from: NextOffset,
    /// The offset after the last lost one.
    pub(super) to: NextOffset,
    /// Whether the read position is still before the range, because no record has arrived since.
    pub(super) is_ahead: bool,
}

impl Loss {
    /// Returns the largest possible number of lost records. Some of these offsets may never have held a record.
    pub(super) fn records(&self) -> u64 {
        u64::try_from(self.to.0 - self.from.0).unwrap_or(0)
    }
}

impl Gaps {
    /// Begins a survey with the `jumps` since the last one and the current `read_positions`.
    pub(super) fn begin(&mut self, jumps: Vec<Jump>, read_positions: BTreeMap<Partition, NextOffset>) {
        self.jumps.extend(jumps.into_iter().filter(|jump| !jump.is_back()));
        self.read_positions = read_positions;
    }

    /// Returns the losses of `partition`, whose log begins at `start`. `read_position` is the current one.
    ///
    /// If the read position is below the start, the client may still have records queued. Only if nothing arrives
    /// during two surveys are the records lost.
    pub(super) fn losses(
        &mut self,
        partition: Partition,
        start: NextOffset,
        read_position: Option<NextOffset>,
    ) -> Vec<Loss> {
        let mut losses = Vec::new();
        for jump in self.jumps.extract_if(.., |jump| jump.partition == partition) {
            let to = start.min(NextOffset(jump.to.0));
            if to > jump.from {
                losses.push(Loss { partition, from: jump.from, to, is_ahead: false });
            }
        }
        let before = self.stuck.remove(&partition);
        let Some(from) =
            self.read_positions.remove(&partition).filter(|from| Some(*from) == read_position && *from < start)
        else {
            return losses;
        };
        if before == Some(from) {
            losses.push(Loss { partition, from, to: start, is_ahead: true });
        } else {
            self.stuck.insert(partition, from);
        }
        losses
    }

    /// Forgets `partition`, which was revoked or begins again.
    pub(super) fn forget(&mut self, partition: Partition) {
        self.jumps.retain(|jump| jump.partition != partition);
        self.read_positions.remove(&partition);
        self.stuck.remove(&partition);
    }
}

#[cfg(test)]
mod tests;
