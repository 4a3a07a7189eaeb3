//! Documents that are looked up before they are sent, or before it counts that they are there. Pure.

use std::collections::{HashMap, HashSet, VecDeque};

/// The documents of one batch that are to be looked up, and what a rollover of their data stream makes of the others.
#[derive(Debug)]
pub(in crate::bulk) struct LookUps {
    waiting: VecDeque<usize>,
    /// The generation of the write index before which an id was looked up and not found.
    checked: HashMap<usize, u64>,
    /// Those that are written, but looked up before that counts.
    written: HashSet<usize>,
    /// The generation of a data stream's write index that the next request counts on.
    generation: Option<u64>,
    /// Whether it turned out to be another.
    is_doubtful: bool,
}

impl LookUps {
    /// Returns those that are `waiting`.
    pub(super) fn new(waiting: VecDeque<usize>) -> Self {
        Self { waiting, checked: HashMap::new(), written: HashSet::new(), generation: None, is_doubtful: false }
    }

    /// Returns whether none waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes out the documents of the next request for ids, at most `most`.
    pub(in crate::bulk) fn take(&mut self, most: usize) -> Vec<usize> {
        let count = self.waiting.len().min(most.max(1));
        self.waiting.drain(..count).collect()
    }

    /// Has `items` looked up before they are sent again.
    pub(in crate::bulk) fn extend(&mut self, items: impl IntoIterator<Item = usize>) {
        self.waiting.extend(items);
    }

    /// Notes that the next request counts on the write index of `generation`.
    pub(super) fn count_on(&mut self, generation: u64) {
        self.generation = Some(generation);
    }

    /// Notes that the write index is that of `generation` by now. What the next answer says is written is looked up if
    /// that is not the one counted on.
    pub(in crate::bulk) fn check(&mut self, generation: u64) {
        self.is_doubtful = self.generation != Some(generation);
    }

    /// Returns whether what an answer says is there is to be looked up.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// Has `item` looked up, which an answer says is there; `by_us` if we wrote it.
    pub(super) fn doubt(&mut self, item: usize, by_us: bool) {
        if by_us {
            self.written.insert(item);
        }
        self.waiting.push_back(item);
    }

    /// Returns whether it is us who wrote `item`, which was looked up since.
    pub(super) fn is_written(&self, item: usize) -> bool {
        self.written.contains(&item)
    }

    /// Notes that `item` was looked up and not found in anything before the write index of `generation`.
    pub(super) fn note_checked(&mut self, item: usize, generation: u64) {
        self.checked.insert(item, generation);
    }

    /// Returns whether that is known of `item`.
    pub(super) fn is_checked(&self, item: usize, generation: u64) -> bool {
        self.checked.get(&item) == Some(&generation)
    }
}

#[cfg(test)]
mod tests;
