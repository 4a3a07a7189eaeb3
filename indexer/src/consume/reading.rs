//! How a topic is read: as a service, without an end; or by a command, over a range of offsets of some partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kafka::position::{NextOffset, Offset, Partition};

use super::*;

/// How long another member of the group may have some of the partitions before reading ends.
const SHARED_PATIENCE: Duration = Duration::from_secs(10);

/// The offsets that a command reads, and how it does so.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// The first offset and the end of each partition that is read.
    pub ranges: BTreeMap<Partition, Range<i64>>,
    /// The most records in a second; none: as fast as they come.
    pub rate: Option<u32>,
    /// Whether the group's offsets are committed.
    pub commits: bool,
    /// What the group's commits carry as metadata behind the topic's id, by partition.
    pub notes: BTreeMap<Partition, String>,
    /// How far reading has come, for those who watch.
    pub watched: Arc<Watched>,
}

/// How far a command has come.
#[derive(Debug, Default)]
pub struct Watched {
    /// Offsets of the ranges that are behind, those of an earlier run too.
    pub passed: AtomicU64,
    /// Whether every record of the ranges is settled.
    pub is_complete: AtomicBool,
    /// Whether reading ended because another member of the group has some of the partitions.
    pub is_shared: AtomicBool,
}

/// How the consuming thread reads its topic.
#[derive(Debug)]
pub struct Reading {
    bounds: Option<Bounds>,
    /// Partitions of which nothing more is read: their end was reached, or they are no part of the ranges.
    closed: BTreeSet<Partition>,
    /// Records that may be taken in this second, as [`Bounds::rate`] allows, and when the second began.
    spent: (u32, Instant),
    shared_since: Option<Instant>,
}

impl Reading {
    /// Reads as a service: from what is committed on, without an end.
    pub fn service() -> Self {
        Self { bounds: None, closed: BTreeSet::new(), spent: (0, Instant::now()), shared_since: None }
    }

    /// Reads what is within `bounds`.
    pub fn within(bounds: Bounds) -> Self {
        Self { bounds: Some(bounds), ..Self::service() }
    }

    pub(super) fn commits(&self) -> bool {
        self.bounds.as_ref().is_none_or(|bounds| bounds.commits)
    }

    /// Returns where `partition` begins where nothing is committed; none: where the client begins.
    pub(super) fn begin(&self, partition: Partition) -> Option<NextOffset> {
        Some(NextOffset(self.bounds.as_ref()?.ranges.get(&partition)?.start))
    }

    pub(super) fn note(&self, partition: Partition) -> Option<&str> {
        self.bounds.as_ref()?.notes.get(&partition).map(String::as_str)
    }

    /// Notes that `partition` is assigned, read from `next` on. Returns whether nothing of it is to be read.
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

    pub(super) fn is_closed(&self, partition: Partition) -> bool {
        self.closed.contains(&partition)
    }

    /// Returns whether the record at `offset` is beyond what is read. Its partition is closed then.
    pub(super) fn is_beyond(&mut self, partition: Partition, offset: Offset) -> bool {
        let Some(bounds) = &self.bounds else { return false };
        let is_within = bounds.ranges.get(&partition).is_some_and(|range| offset.0 < range.end);
        if !is_within {
            self.closed.insert(partition);
        }
        !is_within
    }

    /// Returns `position` of the client within the range of `partition`; none where the partition is not read at all.
    pub(super) fn within_range(&self, partition: Partition, position: NextOffset) -> Option<NextOffset> {
        let Some(bounds) = &self.bounds else { return Some(position) };
        bounds.ranges.get(&partition).map(|range| NextOffset(position.0.min(range.end)))
    }

    /// Returns how many records may be taken now, `most` at most.
    pub(super) fn allowance(&mut self, most: usize, now: Instant) -> usize {
        let Some(rate) = self.bounds.as_ref().and_then(|bounds| bounds.rate) else { return most };
        let (taken, since) = self.spent;
        let elapsed = now.saturating_duration_since(since);
        if elapsed >= Duration::from_secs(1) {
            self.spent = (0, now);
            return self.allowance(most, now);
        }
        // Evenly over the second.
        let due = u128::from(rate) * (elapsed.as_millis() + 1) / 1_000;
        let due = usize::try_from(due.max(1)).unwrap_or(usize::MAX);
        due.saturating_sub(taken as usize).min(most)
    }

    /// Notes that `taken` records were taken.
    pub(super) fn spend(&mut self, taken: usize) {
        self.spent.0 = self.spent.0.saturating_add(u32::try_from(taken).unwrap_or(u32::MAX));
    }
}

impl Consumer {
    /// Returns whether a command has read and settled all that it is to read, or cannot: another member of its group
    /// has a part of it.
    pub(super) fn is_at_end(&mut self) -> bool {
        let Some(bounds) = self.reading.bounds.as_ref().filter(|_| self.has_joined) else { return false };
        let watched = Arc::clone(&bounds.watched);
        let mut passed = 0;
        let mut is_complete = self.books.builder.is_empty();
        let mut is_missing = false;
        for (partition, range) in &bounds.ranges {
            is_missing |= !self.books.ledger.assigned().any(|assigned| assigned == *partition);
            let next = self.books.builder.next(*partition).map_or(range.start, |next| next.0.min(range.end));
            passed += u64::try_from(next - range.start).unwrap_or(0);
            let is_held = self.books.parked.holds(*partition) || self.books.ledger.open_since(*partition).is_some();
            is_complete &= next >= range.end && !is_held;
        }
        watched.passed.store(passed, Ordering::Relaxed);
        if !is_missing {
            self.reading.shared_since = None;
            watched.is_complete.store(is_complete, Ordering::Relaxed);
            return is_complete;
        }
        let is_shared = self.reading.shared_since.get_or_insert_with(Instant::now).elapsed() >= SHARED_PATIENCE;
        watched.is_shared.store(is_shared, Ordering::Relaxed);
        is_shared
    }

    /// Fetches nothing more of the partitions of which nothing more is read.
    pub(super) fn pause_closed(&self, partition: Partition) {
        if let Err(error) = self.consumer.pause(&self.partition_list(std::iter::once(partition))) {
            tracing::warn!(topic = self.topic, %error, partition = partition.0, "A partition that was read to its end could not be paused.");
        }
    }
}

#[cfg(test)]
mod tests;
