//! Keeps documents whose id is taken until it is proven whether the stored document is the same event. Pure.

use std::collections::{HashMap, VecDeque};

use crate::bulk::verify::Suspect;

/// The documents of one batch that wait for a proof.
#[derive(Debug, Default)]
pub(in crate::bulk) struct Proofs {
    /// Whether duplicates must be proven. Otherwise every 409 counts as a duplicate.
    are_wanted: bool,
    suspects: VecDeque<Suspect>,
    /// How often the document stored under an item's id was gone.
    gone: HashMap<usize, u8>,
}

impl Proofs {
    /// Creates an empty queue. `are_wanted` says whether duplicates must be proven.
    pub(super) fn new(are_wanted: bool) -> Self {
        Self { are_wanted, ..Self::default() }
    }

    /// Returns whether duplicates must be proven.
    pub(in crate::bulk) fn are_wanted(&self) -> bool {
        self.are_wanted
    }

    /// Returns whether no document waits.
    pub(super) fn is_empty(&self) -> bool {
        self.suspects.is_empty()
    }

    /// Returns whether `item` waits for its proof.
    pub(super) fn holds(&self, item: usize) -> bool {
        self.suspects.iter().any(|suspect| suspect.item == item)
    }

    /// Takes `item` out.
    pub(super) fn remove(&mut self, item: usize) {
        self.suspects.retain(|suspect| suspect.item != item);
    }

    /// Queues `suspects`.
    pub(super) fn extend(&mut self, suspects: impl IntoIterator<Item = Suspect>) {
        self.suspects.extend(suspects);
    }

    /// Takes at most `most` suspects from the queue.
    pub(in crate::bulk) fn take(&mut self, most: usize) -> Vec<Suspect> {
        let count = self.suspects.len().min(most.max(1));
        self.suspects.drain(..count).collect()
    }

    /// Notes that the document stored under the id of `item` is gone.
    pub(super) fn note_gone(&mut self, item: usize) {
        let rounds = self.gone.entry(item).or_insert(0);
        *rounds = rounds.saturating_add(1);
    }

    /// Returns how many times the document stored under the id of `item` was gone.
    pub(in crate::bulk) fn rounds(&self, item: usize) -> u8 {
        self.gone.get(&item).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
