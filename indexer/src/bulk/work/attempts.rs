//! Counts how often the documents of a batch were sent, and decides which failures are retried. Pure.

use std::collections::{HashMap, HashSet};

use super::whole::{Others, Whole};
use crate::bulk::outcome::Trouble;

/// How many times a document is sent that Elasticsearch fails at (5xx) before it is set aside, and a request before
/// it is halved.
const FAULTS: u32 = 2;
/// How many times a document is sent whose index is reported missing although it was created each time.
const MISSES: u32 = 5;
/// The same for a document that was set aside: once it may be placed again, because the index may be deleted.
const MISSES_ALONE: u32 = 2;

/// How many times a document is sent that fails for now, while others are accepted, before it is set aside.
const STUCK: u32 = 4;
/// The same while no others are accepted, because perhaps all requests that may be in flight hold such a document, and
/// for overload, which passes more often than not.
const STUCK_LATER: u32 = 10;
/// If more documents of a request than these fail for now, the server is overloaded, and they wait with their batch.
const FEW: usize = 64;

/// The attempts with the documents of one batch.
#[derive(Debug)]
pub(in crate::bulk) struct Attempts {
    /// How often each document was sent.
    counts: Vec<u32>,
    /// Whether this is a document that was set aside, so that transient failures have had time to pass.
    is_alone: bool,
    /// Documents with fields that were missing from the mapping, sent again after the mapping was updated.
    adopted: HashSet<usize>,
    /// How many whole requests in a row Elasticsearch has failed at.
    faults: u32,
    /// Documents that failed for now in requests that were answered, and whether there were few in the last one.
    failing: HashMap<usize, Failing>,
    are_few: bool,
    /// Documents in requests that failed as a whole, and what other requests show.
    whole: Whole,
    others: Others,
}

/// A document that fails for now.
#[derive(Debug)]
struct Failing {
    /// How often.
    times: u32,
    /// How many requests of the topic had been accepted when it failed first.
    accepted: u64,
}

impl Attempts {
    /// Creates counters for `documents` documents. `is_alone` says that it is one document that was set aside.
    pub(super) fn new(documents: usize, is_alone: bool) -> Self {
        Self {
            counts: vec![0; documents],
            is_alone,
            adopted: HashSet::new(),
            faults: 0,
            failing: HashMap::new(),
            are_few: true,
            whole: Whole::default(),
            others: Others::default(),
        }
    }

    /// Notes that `chunk` is being sent.
    pub(super) fn start(&mut self, chunk: &[usize]) {
        for item in chunk {
            self.counts[*item] = self.counts[*item].saturating_add(1);
        }
    }

    /// Returns how often `item` was sent.
    pub(super) fn of(&self, item: usize) -> u32 {
        self.counts[item]
    }

    /// Returns whether Elasticsearch has failed at `item` often enough.
    pub(super) fn has_faulted(&self, item: usize) -> bool {
        self.is_alone || self.counts[item] >= FAULTS
    }

    /// Returns whether the index of `item` was missing often enough.
    pub(super) fn has_missed(&self, item: usize) -> bool {
        self.counts[item] >= if self.is_alone { MISSES_ALONE } else { MISSES }
    }

    /// Notes that the mapping is updated for `item`. Returns whether this is the first time.
    pub(super) fn adopt(&mut self, item: usize) -> bool {
        self.adopted.insert(item)
    }

    /// Notes that a request was answered item by item, and that `failed` of its documents failed for now.
    pub(super) fn answered(&mut self, failed: usize) {
        self.faults = 0;
        self.are_few = failed <= FEW;
    }

    /// Notes that `item` failed for now with `trouble`, although its request was answered. Returns whether it has failed
    /// often enough.
    pub(super) fn is_stuck(&mut self, item: usize, trouble: Trouble) -> bool {
        let accepted = self.others.accepted;
        let failing = self.failing.entry(item).or_insert(Failing { times: 0, accepted });
        failing.times += 1;
        let is_other_accepted = accepted > failing.accepted && trouble != Trouble::Overload;
        let most = if is_other_accepted { STUCK } else { STUCK_LATER };
        self.is_alone || (self.are_few && failing.times >= most)
    }

    /// Notes that Elasticsearch failed at a whole request. Returns whether all of it is sent again.
    pub(super) fn fault(&mut self) -> bool {
        let is_again = !self.is_alone && self.faults < FAULTS;
        self.faults += u32::from(is_again);
        is_again
    }

    /// Notes that a request of `chunk` got no usable answer. Returns whether it held a single document that must be
    /// set aside.
    pub(super) fn fail_whole(&mut self, chunk: &[usize]) -> bool {
        self.is_alone || self.whole.fail(chunk, self.others)
    }

    /// Returns how many of `items`, from the first on, may share a request: at least one, unless `items` is empty.
    pub(super) fn share(&self, items: &[usize]) -> usize {
        self.whole.share(items)
    }

    /// Notes what other requests of the topic show.
    pub(in crate::bulk) fn note_others(&mut self, others: Others) {
        self.others = others;
    }
}

#[cfg(test)]
mod tests;
