//! Documents whose id is taken, and which wait for the proof that what is stored is the same event. Pure.

use std::collections::{HashMap, VecDeque};

use crate::bulk::verify::Suspect;

/// The documents of one batch whose proof is wanted.
#[derive(Debug, Default)]
pub(in crate::bulk) struct Proofs {
    /// Whether duplicates are proven; else all that are answered 409 count as duplicates.
    are_wanted: bool,
    suspects: VecDeque<Suspect>,
    /// How often what had the id of a document was gone.
    gone: HashMap<usize, u8>,
}

impl Proofs {
    /// Returns none yet. Duplicates are proven if they `are_wanted`.
    pub(super) fn new(are_wanted: bool) -> Self {
        Self { are_wanted, ..Self::default() }
    }

    /// Returns whether duplicates are proven.
    pub(in crate::bulk) fn are_wanted(&self) -> bool {
        self.are_wanted
    }

    /// Returns whether no document waits.
    pub(super) fn is_empty(&self) -> bool {
        self.suspects.is_empty()
    }

    /// Has the documents of `suspects` wait.
    pub(super) fn extend(&mut self, suspects: impl IntoIterator<Item = Suspect>) {
        self.suspects.extend(suspects);
    }

    /// Takes out those that wait, at most `most` of them.
    pub(in crate::bulk) fn take(&mut self, most: usize) -> Vec<Suspect> {
        let count = self.suspects.len().min(most.max(1));
        self.suspects.drain(..count).collect()
    }

    /// Notes that what had the id of `item` is gone.
    pub(super) fn note_gone(&mut self, item: usize) {
        let rounds = self.gone.entry(item).or_insert(0);
        *rounds = rounds.saturating_add(1);
    }

    /// Returns how many times the document that had the id of `item` was gone.
    pub(in crate::bulk) fn rounds(&self, item: usize) -> u8 {
        self.gone.get(&item).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
