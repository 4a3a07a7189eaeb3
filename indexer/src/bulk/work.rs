//! What is left to send of one batch. Pure.
//!
//! It begins with the whole batch. A chunk that is too large or refused as a whole is cut in two, down to the one
//! document whose fault it is; of a chunk that is answered item by item, those that failed for now join what is left.

use std::sync::Arc;

use super::body;
use super::delivered::{Delivered, SetAside};
use super::limiter::RequestBudget;
use super::outcome::{Obstacle, Refusal};
use super::progress::Progress;
use super::verify::Suspect;
use crate::batch::Batch;
pub(super) use apply::apply;
use attempts::Attempts;
use destinations::Destinations;
use look_ups::LookUps;
use proofs::Proofs;
use queue::Queue;

mod apply;
mod attempts;
mod destinations;
mod look_ups;
mod proofs;
mod queue;
pub(super) mod whole;

/// What is left to send and what has become of the rest.
#[derive(Debug)]
pub(super) struct Work<'a> {
    batch: &'a Batch,
    pub(super) queue: Queue,
    pub(super) destinations: Destinations<'a>,
    pub(super) look_ups: LookUps,
    pub(super) proofs: Proofs,
    pub(super) attempts: Attempts,
    pub(super) delivered: Delivered,
}

impl<'a> Work<'a> {
    /// Returns all of `batch`. With `reroutes`, what is sent to an index that is missing or takes no documents is to be
    /// placed again.
    pub(super) fn new(batch: &'a Batch, reroutes: bool) -> Self {
        let is_looked_up =
            |item: &usize| batch.targets.get(batch.items[*item].target as usize).is_some_and(|t| t.look_up);
        let (look_ups, left) = (0..batch.items.len()).partition(is_looked_up);
        Self {
            batch,
            queue: Queue::new(left),
            destinations: Destinations::new(batch, reroutes),
            look_ups: LookUps::new(look_ups),
            proofs: Proofs::default(),
            attempts: Attempts::new(batch.items.len(), false),
            delivered: Delivered::default(),
        }
    }

    /// Returns the same, of the one document of a batch which was set aside before.
    pub(super) fn alone(self) -> Self {
        Self { attempts: Attempts::new(self.batch.items.len(), true), ..self }
    }

    /// Returns the same; if not `proves`, all that are answered 409 count as duplicates.
    pub(super) fn proving(self, proves: bool) -> Self {
        Self { proofs: Proofs::new(proves), ..self }
    }

    /// Returns whether nothing is left.
    pub(super) fn is_done(&self) -> bool {
        let is_sent = self.queue.is_empty() && !self.destinations.has_unplaced();
        is_sent && self.look_ups.is_empty() && self.proofs.is_empty()
    }

    /// Returns the items of the next request, as many as there is room for, but at least one; none when all is settled.
    pub(super) fn take(&mut self, budget: RequestBudget) -> Option<Vec<usize>> {
        let (batch, attempts) = (self.batch, &self.attempts);
        let chunk = self.queue.take(|items| body::fitting(batch, &items[..attempts.share(items)], budget));
        if chunk.is_empty() {
            return None;
        }
        self.attempts.start(&chunk);
        Some(chunk)
    }

    /// Puts those first that go to the same index as the next one; returns how many the next request may hold.
    pub(super) fn gather(&mut self) -> usize {
        let destinations = &self.destinations;
        self.queue.gather(|item| destinations.of(item))
    }

    /// `items` are sent again: what was tried did not succeed.
    pub(super) fn again(&mut self, items: Vec<usize>, progress: &mut Progress) {
        progress.counts.failed += items.len();
        self.queue.extend(items);
    }

    /// `item` is sent to `index` from now on.
    pub(super) fn move_to(&mut self, item: usize, index: Arc<str>) {
        self.destinations.set(item, index);
        self.queue.extend([item]);
    }

    /// `item` will never be taken.
    pub(super) fn refuse(&mut self, item: usize, refusal: Refusal, progress: &mut Progress) {
        self.delivered.refuse(item, refusal, self.attempts.of(item), &mut progress.counts);
    }

    /// `item` is refused, and it is not known what is at fault.
    fn set_aside(&mut self, item: usize, refusal: Refusal, progress: &mut Progress) {
        let (index, attempts) = (self.destinations.of(item), self.attempts.of(item));
        self.delivered.set_aside(SetAside { item, index, refusal, attempts }, &mut progress.counts);
    }

    /// Takes those back that were set aside, except for the first `known`: they are sent again with all others.
    pub(super) fn take_back(&mut self, known: usize, progress: &mut Progress) {
        let items = self.delivered.take_back(known, &mut progress.counts);
        self.again(items, progress);
    }

    /// `items` are looked up again: what was tried did not succeed.
    pub(super) fn look_up_again(&mut self, items: Vec<usize>, obstacle: Obstacle, progress: &mut Progress) {
        progress.counts.failed += items.len();
        progress.hindered(obstacle);
        self.look_ups.extend(items);
    }

    /// `item` was looked up and found in so many indices. It is a duplicate, unless the one that is there is what we
    /// wrote.
    pub(super) fn found(&mut self, item: usize, indices: usize, progress: &mut Progress) {
        if indices == 1 && self.look_ups.is_written(item) {
            self.delivered.index(&mut progress.counts);
        } else {
            self.delivered.duplicate(&mut progress.counts);
        }
    }

    /// `item` was looked up and not found in anything before the write index of `generation`.
    pub(super) fn not_found(&mut self, item: usize, generation: u64) {
        self.look_ups.note_checked(item, generation);
        self.queue.extend([item]);
    }

    /// The next request counts on the write index of `generation`. Puts those that are left and have not been looked up
    /// before it, and that `is_doubtful`, to those which are looked up first.
    pub(super) fn divert(&mut self, generation: u64, is_doubtful: impl Fn(i64) -> bool) {
        self.look_ups.count_on(generation);
        let (items, look_ups) = (&self.batch.items, &self.look_ups);
        let is_diverted = |item: usize| !look_ups.is_checked(item, generation) && is_doubtful(items[item].time);
        let diverted = self.queue.divert(is_diverted);
        self.look_ups.extend(diverted);
    }

    /// The document of `suspect` waits for its proof.
    pub(super) fn suspect(&mut self, suspect: Suspect, progress: &mut Progress) {
        progress.counts.doubtful += 1;
        self.proofs.extend([suspect]);
    }

    /// `suspects` are looked at again: what was tried did not succeed.
    pub(super) fn suspect_again(&mut self, suspects: Vec<Suspect>, obstacle: Obstacle, progress: &mut Progress) {
        progress.counts.failed += suspects.len();
        progress.hindered(obstacle);
        self.proofs.extend(suspects);
    }

    /// What was stored under the id of `item` is gone: it is sent again.
    pub(super) fn send_again(&mut self, item: usize) {
        self.proofs.note_gone(item);
        self.queue.extend([item]);
    }
}

#[cfg(test)]
mod tests;
