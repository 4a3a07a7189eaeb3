//! Keeps documents that are looked up before they are sent, or before they count as existing. Pure.

use std::collections::{HashMap, HashSet, VecDeque};

/// The look-ups of one batch, and the effects of a rollover on its documents.
#[derive(Debug)]
pub(in crate::bulk) struct LookUps {
    waiting: VecDeque<usize>,
    /// The write index's generation before which an id was looked up and not found.
    checked: HashMap<usize, u64>,
    /// Documents that we wrote, but that must be looked up before they count.
    written: HashSet<usize>,
    /// The generation of the write index that the next request relies on.
    generation: Option<u64>,
    /// Whether the write index turned out to be another.
    is_doubtful: bool,
}

impl LookUps {
    /// Creates look-ups of the `waiting` documents.
    pub(super) fn new(waiting: VecDeque<usize>) -> Self {
        Self { waiting, checked: HashMap::new(), written: HashSet::new(), generation: None, is_doubtful: false }
    }

    /// Returns whether no document waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the documents of the next look-up, at most `most`.
    pub(in crate::bulk) fn take(&mut self, most: usize) -> Vec<usize> {
        let count = self.waiting.len().min(most.max(1));
        self.waiting.drain(..count).collect()
    }

    /// Returns whether `item` waits for its look-up.
    pub(super) fn holds(&self, item: usize) -> bool {
        self.waiting.contains(&item)
    }

    /// Takes `item` out.
    pub(super) fn remove(&mut self, item: usize) {
        self.waiting.retain(|waiting| *waiting != item);
    }

    /// Queues `items` to be looked up before they are sent.
    pub(in crate::bulk) fn extend(&mut self, items: impl IntoIterator<Item = usize>) {
        self.waiting.extend(items);
    }

    /// Notes that the next request relies on the write index of `generation`.
    pub(super) fn count_on(&mut self, generation: u64) {
        self.generation = Some(generation);
    }

    /// Notes that the write index has `generation` by now. If the request relied on another, the documents it reports
    /// as written are looked up.
    pub(in crate::bulk) fn check(&mut self, generation: u64) {
        self.is_doubtful = self.generation != Some(generation);
    }

    /// Returns whether documents that an answer reports as existing must be looked up.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// Queues `item`, which an answer reports as existing, for a look-up. `by_us` says that we wrote it.
    pub(super) fn doubt(&mut self, item: usize, by_us: bool) {
        if by_us {
            self.written.insert(item);
        }
        self.waiting.push_back(item);
    }

    /// Returns whether we wrote `item`, which has been looked up since.
    pub(super) fn is_written(&self, item: usize) -> bool {
        self.written.contains(&item)
    }

    /// Notes that `item` was not found in any index before the write index of `generation`.
    pub(super) fn note_checked(&mut self, item: usize, generation: u64) {
        self.checked.insert(item, generation);
    }

    /// Returns whether [`LookUps::note_checked`] was called for `item` and `generation`.
    pub(super) fn is_checked(&self, item: usize, generation: u64) -> bool {
        self.checked(item) == Some(generation)
    }

    /// Returns the generation of the write index at the last look-up that did not find `item`.
    pub(in crate::bulk) fn checked(&self, item: usize) -> Option<u64> {
        self.checked.get(&item).copied()
    }
}

#[cfg(test)]
mod tests;
