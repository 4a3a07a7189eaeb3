//! Offsets that no record came for: which of them retention deleted before they were read. Pure.
//!
//! Offsets have gaps that are no loss: control records of transactions, aborted records, what compaction removed. What
//! is below the start of the log is another thing: those records are gone.

use std::collections::BTreeMap;

use kafka::position::{NextOffset, Partition};

use super::jump::Jump;

/// What is looked at by one survey of the log: only what was there when it began.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// Gaps between two records.
    jumps: Vec<Jump>,
    /// Where reading stood when the survey began.
    stood: BTreeMap<Partition, NextOffset>,
    /// Where reading stood in the survey before, below the start of the log.
    stuck: BTreeMap<Partition, NextOffset>,
}

/// Records that were deleted before they were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) partition: Partition,
    /// The first of them.
    pub(super) from: NextOffset,
    /// Past the last of them.
    pub(super) to: NextOffset,
    /// Whether reading still stands before them: no record came since.
    pub(super) is_ahead: bool,
}

impl Loss {
    /// Returns how many records, at most: some of these offsets may never have held one.
    pub(super) fn records(&self) -> u64 {
        u64::try_from(self.to.0 - self.from.0).unwrap_or(0)
    }
}

impl Gaps {
    /// A survey begins: `jumps` were seen since the last one, and reading stands at `stood`.
    pub(super) fn begin(&mut self, jumps: Vec<Jump>, stood: BTreeMap<Partition, NextOffset>) {
        self.jumps.extend(jumps.into_iter().filter(|jump| !jump.is_back()));
        self.stood = stood;
    }

    /// Takes what is known of `partition`, whose log begins at `start`. `stands` is where reading stands now.
    ///
    /// Reading that stands below the start may have more records in the client's queue; only when nothing came for the
    /// length of a survey, twice, is there nothing to come.
    pub(super) fn losses(&mut self, partition: Partition, start: NextOffset, stands: Option<NextOffset>) -> Vec<Loss> {
        let mut losses = Vec::new();
        for jump in self.jumps.extract_if(.., |jump| jump.partition == partition) {
            let to = start.min(NextOffset(jump.to.0));
            if to > jump.from {
                losses.push(Loss { partition, from: jump.from, to, is_ahead: false });
            }
        }
        let before = self.stuck.remove(&partition);
        let Some(from) = self.stood.remove(&partition).filter(|from| Some(*from) == stands && *from < start) else {
            return losses;
        };
        if before == Some(from) {
            losses.push(Loss { partition, from, to: start, is_ahead: true });
        } else {
            self.stuck.insert(partition, from);
        }
        losses
    }

    /// Forgets `partition`: it was revoked, or begins again.
    pub(super) fn forget(&mut self, partition: Partition) {
        self.jumps.retain(|jump| jump.partition != partition);
        self.stood.remove(&partition);
        self.stuck.remove(&partition);
    }
}

#[cfg(test)]
mod tests;
