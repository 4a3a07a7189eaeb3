//! How often the documents of a batch were sent, and which of their failures are to be tried again. Pure.

use std::collections::HashSet;

use super::whole::{Others, Whole};

/// How many times a document is sent that Elasticsearch fails at (5xx), before it is set aside; and a request, before
/// it is cut.
const FAULTS: u32 = 2;
/// How many times a document is sent whose index is answered to be missing, although it was made each time.
const MISSES: u32 = 5;

/// The attempts with the documents of one batch.
#[derive(Debug)]
pub(in crate::bulk) struct Attempts {
    /// How often each was sent.
    counts: Vec<u32>,
    /// Whether it is a document that was set aside before: it has been given the time that failures take to pass.
    is_alone: bool,
    /// Those that the index does not know all fields of, and that are sent again now that the mapping is up to date.
    adopted: HashSet<usize>,
    /// How many whole requests in a row Elasticsearch has failed at.
    faults: u32,
    /// Those that were in requests which failed as a whole, and what others show.
    whole: Whole,
    others: Others,
}

impl Attempts {
    /// Returns none, of so many `documents`; of one that was set aside before if it `is_alone`.
    pub(super) fn new(documents: usize, is_alone: bool) -> Self {
        Self {
            counts: vec![0; documents],
            is_alone,
            adopted: HashSet::new(),
            faults: 0,
            whole: Whole::default(),
            others: Others::default(),
        }
    }

    /// Notes that `chunk` is sent.
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
        self.is_alone || self.counts[item] >= MISSES
    }

    /// Notes that the mapping is brought up to date for `item`. Returns whether it was not before.
    pub(super) fn adopt(&mut self, item: usize) -> bool {
        self.adopted.insert(item)
    }

    /// Notes that a request was answered item by item.
    pub(super) fn answered(&mut self) {
        self.faults = 0;
    }

    /// Notes that Elasticsearch failed at a request as a whole. Returns whether all of it is sent again.
    pub(super) fn fault(&mut self) -> bool {
        let is_again = !self.is_alone && self.faults < FAULTS;
        self.faults += u32::from(is_again);
        is_again
    }

    /// Notes that there was no answer to a request of `chunk`. Returns whether it was one document alone that is to be
    /// set aside.
    pub(super) fn fail_whole(&mut self, chunk: &[usize]) -> bool {
        self.is_alone || self.whole.fail(chunk, self.others)
    }

    /// Returns how many of `items`, from the first on, may share a request: at least one, if there is one.
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
