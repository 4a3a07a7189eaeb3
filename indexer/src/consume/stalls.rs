//! Notices partitions of which the client delivers nothing, although there are records. Several faults of librdkafka
//! end like this (librdkafka#5591, #4492). Pure.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kafka::position::{NextOffset, Partition};

/// How long a partition stands still before it is taken up again. The client gives up a request after one minute.
const PATIENCE: Duration = Duration::from_secs(300);
/// How old an observation may be to count as recent. Surveys are more frequent.
const RECENT: Duration = Duration::from_secs(15);

/// Holds the assigned partitions that stand still.
#[derive(Debug, Default)]
pub(super) struct Stalls {
    partitions: BTreeMap<Partition, Still>,
    /// When the client last had nothing more to deliver. Before that, records of a partition may wait behind others.
    ran_dry: Option<Instant>,
    stalled: Vec<Partition>,
}

/// A partition that has records and is at the same position at each survey.
#[derive(Clone, Copy, Debug)]
struct Still {
    at: Option<NextOffset>,
    since: Instant,
    seen: Instant,
}

impl Stalls {
    /// Notes that at `now` the client has nothing to deliver.
    pub(super) fn note_dry(&mut self, now: Instant) {
        self.ran_dry = Some(now);
    }

    /// Notes that `partition` has been read up to `at`, and whether it has more records that the client may deliver.
    pub(super) fn note(&mut self, partition: Partition, at: Option<NextOffset>, has_more: bool, now: Instant) {
        if !has_more {
            self.forget(partition);
            return;
        }
        let is_recent = |then: Instant| now.saturating_duration_since(then) <= RECENT;
        let begun = Still { at, since: now, seen: now };
        let still = self.partitions.entry(partition).or_insert(begun);
        if still.at != at || !is_recent(still.seen) {
            *still = begun;
        }
        still.seen = now;
        if now.saturating_duration_since(still.since) >= PATIENCE && self.ran_dry.is_some_and(is_recent) {
            *still = begun;
            self.stalled.push(partition);
        }
    }

    /// Returns the partitions that are to be taken up again.
    pub(super) fn take(&mut self) -> Vec<Partition> {
        std::mem::take(&mut self.stalled)
    }

    /// Forgets `partition`, which is no longer assigned or begins elsewhere.
    pub(super) fn forget(&mut self, partition: Partition) {
        self.partitions.remove(&partition);
        self.stalled.retain(|stalled| *stalled != partition);
    }
}

#[cfg(test)]
mod tests;
