//! Says where the documents of a batch go: as the batch says, or elsewhere because that index did not accept them.
//! Pure.

use std::sync::Arc;

use crate::batch::Batch;
use crate::bulk::body::Moved;

/// The indices of the documents of one batch.
#[derive(Debug)]
pub(in crate::bulk) struct Destinations<'a> {
    batch: &'a Batch,
    moved: Moved,
    /// Whether documents are placed again if their index is missing or accepts none.
    reroutes: bool,
    /// Documents that must be placed again.
    unplaced: Vec<usize>,
}

impl<'a> Destinations<'a> {
    /// Creates the destinations of `batch`. With `reroutes`, documents are placed again if their index is missing or
    /// accepts none.
    pub(super) fn new(batch: &'a Batch, reroutes: bool) -> Self {
        Self { batch, moved: Moved::new(), reroutes, unplaced: Vec::new() }
    }

    /// Returns whether documents are placed again.
    pub(super) fn reroutes(&self) -> bool {
        self.reroutes
    }

    /// Queues `item` for placement if `is_moved`, and returns `is_moved`.
    pub(super) fn place_again_if(&mut self, is_moved: bool, item: usize) -> bool {
        if is_moved {
            self.unplaced.push(item);
        }
        is_moved
    }

    /// Returns whether documents must be placed again.
    pub(super) fn has_unplaced(&self) -> bool {
        !self.unplaced.is_empty()
    }

    /// Takes the documents that must be placed again.
    pub(in crate::bulk) fn take_unplaced(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.unplaced)
    }

    /// Returns the indices that differ from the batch's.
    pub(in crate::bulk) fn moved(&self) -> &Moved {
        &self.moved
    }

    /// Sends `item` to `index` from now on.
    pub(super) fn set(&mut self, item: usize, index: Arc<str>) {
        if *self.of(item) != *index {
            self.moved.insert(item, index);
        }
    }

    /// Returns the index that `item` goes to, or was last sent to.
    pub(in crate::bulk) fn of(&self, item: usize) -> Arc<str> {
        match self.moved.get(&item) {
            Some(index) => Arc::clone(index),
            None => Arc::clone(&self.batch.targets[self.batch.items[item].target as usize].index),
        }
    }

    /// Returns the index of the batch's first target, which its action lines do not name.
    pub(in crate::bulk) fn of_first(&self) -> &str {
        self.batch.targets.first().map_or("", |target| &target.index)
    }

    /// Returns the index of all of `chunk`, if they share one.
    pub(in crate::bulk) fn of_all(&self, chunk: &[usize]) -> Option<Arc<str>> {
        let first = self.of(*chunk.first()?);
        let is_alone = self.batch.targets.len() == 1 && self.moved.is_empty();
        (is_alone || chunk.iter().all(|item| *self.of(*item) == *first)).then_some(first)
    }

    /// Returns `chunk` divided by index.
    pub(super) fn parts(&self, chunk: Vec<usize>) -> Vec<Vec<usize>> {
        let mut parts: Vec<(Arc<str>, Vec<usize>)> = Vec::new();
        for item in chunk {
            let index = self.of(item);
            match parts.iter_mut().find(|(known, _)| **known == *index) {
                Some((_, part)) => part.push(item),
                None => parts.push((index, vec![item])),
            }
        }
        parts.into_iter().map(|(_, part)| part).collect()
    }
}

#[cfg(test)]
mod tests;
