//! Counts how many records of each partition wait, and for how long none of them has been read. Pure.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kafka::position::{NextOffset, Partition};

/// Holds the log ends and committed offsets of the assigned partitions.
#[derive(Debug, Default)]
pub(super) struct Lag {
    /// Where the logs begin and end, as of the last survey.
    ends: BTreeMap<Partition, (NextOffset, NextOffset)>,
    /// The committed offsets.
    committed: BTreeMap<Partition, NextOffset>,
    /// The read positions of partitions with unread records, and since when they have not moved.
    unread: BTreeMap<Partition, (Option<NextOffset>, Instant)>,
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
        self.unread.remove(&partition);
    }

    /// Returns how many records wait, counted from the committed offset. If that was deleted or nothing was
    /// committed, counts from the start of the log. `None` while the ends are unknown.
    pub(super) fn of(&self, partition: Partition) -> Option<i64> {
        let (start, end) = self.ends.get(&partition)?;
        let committed = self.committed.get(&partition).unwrap_or(start).max(start);
        Some((end.0 - committed.0).max(0))
    }

    /// Returns for how long none of the unread records of `partition`, which is read up to `position`, has been read.
    /// Zero if there are none, or while the ends are unknown.
    pub(super) fn unread(&mut self, partition: Partition, position: Option<NextOffset>, now: Instant) -> Duration {
        let Some((start, end)) = self.ends.get(&partition) else { return Duration::ZERO };
        if position.unwrap_or(*start).max(*start) >= *end {
            self.unread.remove(&partition);
            return Duration::ZERO;
        }
        let unread = self.unread.entry(partition).or_insert((position, now));
        if unread.0 != position {
            *unread = (position, now);
        }
        now.saturating_duration_since(unread.1)
    }
}

#[cfg(test)]
mod tests;
