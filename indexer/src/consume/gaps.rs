//! Offsets that no record came for: which of them retention deleted before they were read. Pure.
//!
//! Offsets have gaps that are no loss: control records of transactions, aborted records, what compaction removed. What
//! is below the start of the log is another thing: those records are gone.

use std::collections::BTreeMap;

use kafka::position::{NextOffset, Partition};

use super::books::Jump;

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
mod tests {
    use kafka::position::Offset;

    use super::*;

    const P: Partition = Partition(0);

    fn standing(at: i64) -> BTreeMap<Partition, NextOffset> {
        BTreeMap::from([(P, NextOffset(at))])
    }

    fn jump(from: i64, to: i64) -> Vec<Jump> {
        vec![Jump { partition: P, from: NextOffset(from), to: Offset(to) }]
    }

    fn loss(from: i64, to: i64, is_ahead: bool) -> Vec<Loss> {
        vec![Loss { partition: P, from: NextOffset(from), to: NextOffset(to), is_ahead }]
    }

    #[test]
    fn a_gap_above_the_start_of_the_log_is_no_loss() {
        let mut gaps = Gaps::default();
        gaps.begin(jump(10, 11), standing(20));
        assert_eq!(gaps.losses(P, NextOffset(10), Some(NextOffset(20))), []);
    }

    #[test]
    fn a_gap_below_the_start_of_the_log_is_lost_as_far_as_it_is_below() {
        let mut gaps = Gaps::default();
        gaps.begin(jump(10, 60), standing(70));
        assert_eq!(gaps.losses(P, NextOffset(50), Some(NextOffset(70))), loss(10, 50, false));
        gaps.begin(jump(70, 80), standing(90));
        assert_eq!(gaps.losses(P, NextOffset(200), Some(NextOffset(95))), loss(70, 80, false));
    }

    #[test]
    fn reading_that_stands_below_the_start_twice_has_lost_what_is_between() {
        let mut gaps = Gaps::default();
        gaps.begin(vec![], standing(100));
        assert_eq!(gaps.losses(P, NextOffset(200), Some(NextOffset(100))), []);
        gaps.begin(vec![], standing(100));
        assert_eq!(gaps.losses(P, NextOffset(250), Some(NextOffset(100))), loss(100, 250, true));
        gaps.begin(vec![], standing(250));
        assert_eq!(gaps.losses(P, NextOffset(250), Some(NextOffset(250))), []);
    }

    #[test]
    fn records_that_were_fetched_before_retention_came_are_not_lost() {
        let mut gaps = Gaps::default();
        gaps.begin(vec![], standing(100));
        assert_eq!(gaps.losses(P, NextOffset(200), Some(NextOffset(100))), []);
        gaps.begin(vec![], standing(100));
        assert_eq!(gaps.losses(P, NextOffset(200), Some(NextOffset(150))), [], "they came meanwhile");
    }
}
