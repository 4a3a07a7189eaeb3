//! Says what to read of a topic: everything without an end, as a service, or a range of offsets, for a command.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use kafka::position::{NextOffset, Offset, Partition};

use super::books::Books;
pub use bounds::{Bounds, Watched};
use rate::Rate;

mod bounds;
mod rate;

/// How long another member of the group may hold some of the partitions before reading ends.
const SHARED_PATIENCE: Duration = Duration::from_secs(10);

/// What the consuming thread reads of its topic.
#[derive(Debug)]
pub struct Reading {
    bounds: Option<Bounds>,
    /// Closed partitions: read to their end, or not part of the ranges.
    closed: BTreeSet<Partition>,
    rate: Rate,
    shared_since: Option<Instant>,
}

impl Reading {
    /// Reads as a service: from the committed offset, without an end.
    pub fn service() -> Self {
        Self { bounds: None, closed: BTreeSet::new(), rate: Rate::new(None), shared_since: None }
    }

    /// Reads the ranges of `bounds`.
    pub fn within(bounds: Bounds) -> Self {
        Self { rate: Rate::new(bounds.rate), bounds: Some(bounds), ..Self::service() }
    }

    /// Returns whether offsets are committed.
    pub(super) fn commits(&self) -> bool {
        self.bounds.as_ref().is_none_or(|bounds| bounds.commits)
    }

    /// Returns where `partition` begins if nothing is committed; `None` means where the client begins.
    pub(super) fn begin(&self, partition: Partition) -> Option<NextOffset> {
        Some(NextOffset(self.bounds.as_ref()?.ranges.get(&partition)?.start))
    }

    /// Returns the additional metadata for commits of `partition`.
    pub(super) fn note(&self, partition: Partition) -> Option<&str> {
        self.bounds.as_ref()?.notes.get(&partition).map(String::as_str)
    }

    /// Notes that `partition` is assigned and read from `next`. Returns whether nothing of it is to be read.
    pub(super) fn open(&mut self, partition: Partition, next: Option<NextOffset>) -> bool {
        let Some(bounds) = &self.bounds else { return false };
        let has_more = |range: &Range<i64>| next.is_none_or(|next| next.0 < range.end);
        if bounds.ranges.get(&partition).is_some_and(has_more) {
            self.closed.remove(&partition);
            return false;
        }
        self.closed.insert(partition);
        true
    }

    /// Returns whether `partition` is closed: nothing more of it is read.
    pub(super) fn is_closed(&self, partition: Partition) -> bool {
        self.closed.contains(&partition)
    }

    /// Returns whether the record at `offset` is beyond the range, and closes its partition if so.
    pub(super) fn is_beyond(&mut self, partition: Partition, offset: Offset) -> bool {
        let Some(bounds) = &self.bounds else { return false };
        let is_within = bounds.ranges.get(&partition).is_some_and(|range| offset.0 < range.end);
        if !is_within {
            self.closed.insert(partition);
        }
        !is_within
    }

    /// Returns the client's `position` limited to the range of `partition`, or `None` if the partition is not read.
    pub(super) fn within_range(&self, partition: Partition, position: NextOffset) -> Option<NextOffset> {
        let Some(bounds) = &self.bounds else { return Some(position) };
        bounds.ranges.get(&partition).map(|range| NextOffset(position.0.min(range.end)))
    }

    /// Returns how many records may be taken now, at most `most`.
    pub(super) fn allowance(&mut self, most: usize, now: Instant) -> usize {
        self.rate.allowance(most, now)
    }

    /// Notes that `taken` records were taken.
    pub(super) fn spend(&mut self, taken: usize) {
        self.rate.spend(taken);
    }

    /// Returns whether a command has read and settled everything, according to `books`. Also ends reading if another
    /// member of the group holds some of the partitions for too long.
    pub(super) fn is_at_end(&mut self, books: &Books, now: Instant) -> bool {
        let Some(bounds) = &self.bounds else { return false };
        let mut passed = 0;
        let mut is_complete = books.builder.is_empty();
        let mut is_missing = false;
        for (partition, range) in &bounds.ranges {
            is_missing |= !books.ledger.is_assigned(*partition);
            let next = books.builder.next(*partition).map_or(range.start, |next| next.0.min(range.end));
            passed += u64::try_from(next - range.start).unwrap_or(0);
            is_complete &= next >= range.end && !books.is_open(*partition);
        }
        bounds.watched.passed.store(passed, Ordering::Relaxed);
        if !is_missing {
            self.shared_since = None;
            bounds.watched.is_complete.store(is_complete, Ordering::Relaxed);
            return is_complete;
        }
        let since = *self.shared_since.get_or_insert(now);
        let is_shared = now.saturating_duration_since(since) >= SHARED_PATIENCE;
        bounds.watched.is_shared.store(is_shared, Ordering::Relaxed);
        is_shared
    }
}

#[cfg(test)]
mod tests;
