//! Documents whose id is taken, and who wait for the proof that what is stored is the same event.

use std::sync::Arc;

use super::{Progress, Work};
use crate::bulk::outcome::Refusal;
use crate::bulk::verify::{Obstacle, Suspect};

impl Work<'_> {
    /// Returns whether duplicates are proven; else all that are answered 409 count as duplicates.
    pub(in crate::bulk) fn proving(mut self, proves: bool) -> Self {
        self.proves = proves;
        self
    }

    /// Returns whether duplicates are proven.
    pub(in crate::bulk) fn is_proving(&self) -> bool {
        self.proves
    }

    /// `item` was answered 409 because of a document in `index`; none: in the index that it was sent to.
    pub(super) fn taken(&mut self, item: usize, index: Option<&str>, progress: &mut Progress) {
        if !self.proves {
            return self.settle_duplicate(progress);
        }
        let sent_to = self.index_of(item);
        let index = index.filter(|index| *index != &*sent_to).map_or(sent_to, Arc::from);
        self.suspect(Suspect { item, index }, progress);
    }

    /// The document of `suspect` waits for its proof.
    pub(in crate::bulk) fn suspect(&mut self, suspect: Suspect, progress: &mut Progress) {
        progress.doubtful += 1;
        self.suspects.push_back(suspect);
    }

    /// Takes out those that wait for their proof, at most `most` of them.
    pub(in crate::bulk) fn take_suspects(&mut self, most: usize) -> Vec<Suspect> {
        let count = self.suspects.len().min(most.max(1));
        self.suspects.drain(..count).collect()
    }

    /// `suspects` are looked at again: what was tried did not succeed.
    pub(in crate::bulk) fn suspect_again(
        &mut self,
        suspects: Vec<Suspect>,
        obstacle: Obstacle,
        progress: &mut Progress,
    ) {
        progress.failed += suspects.len();
        progress.hindered(obstacle);
        self.suspects.extend(suspects);
    }

    /// Returns how many times the document that had the id of `item` was gone.
    pub(in crate::bulk) fn rounds(&self, item: usize) -> u8 {
        self.gone.get(&item).copied().unwrap_or(0)
    }

    /// What was stored under the id of `item` is gone: it is sent again.
    pub(in crate::bulk) fn send_again(&mut self, item: usize) {
        let rounds = self.gone.entry(item).or_insert(0);
        *rounds = rounds.saturating_add(1);
        self.left.push_back(item);
    }

    /// Another event has the id of `item`.
    pub(in crate::bulk) fn conflict(&mut self, item: usize, refusal: Refusal, progress: &mut Progress) {
        self.refuse(item, refusal, progress);
    }
}
