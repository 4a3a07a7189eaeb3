//! Keeps what is left to send of one batch. Pure.
//!
//! At first that is the whole batch. A chunk that is too large or refused as a whole is halved, down to the one
//! document at fault. If a chunk is answered item by item, the items that failed for now are sent again.

use std::sync::Arc;

use super::body;
use super::delivered::{Delivered, SetAside};
use super::limiter::RequestBudget;
use super::outcome::{Block, Obstacle, Refusal};
use super::progress::Progress;
use super::verify::Suspect;
use crate::batch::Batch;
pub(super) use apply::apply;
use attempts::Attempts;
use destinations::Destinations;
use look_ups::LookUps;
use obstructed::{Obstructed, Obstruction};
use proofs::Proofs;
use queue::Queue;

mod apply;
mod attempts;
mod destinations;
mod look_ups;
mod obstructed;
mod proofs;
mod queue;
pub(super) mod whole;

/// Holds what is left to send and the outcome of the rest.
#[derive(Debug)]
pub(super) struct Work<'a> {
    batch: &'a Batch,
    pub(super) queue: Queue,
    pub(super) destinations: Destinations<'a>,
    pub(super) look_ups: LookUps,
    pub(super) proofs: Proofs,
    pub(super) obstructed: Obstructed,
    pub(super) attempts: Attempts,
    pub(super) delivered: Delivered,
}

impl<'a> Work<'a> {
    /// Creates work for all of `batch`. With `reroutes`, documents are placed again if their index is missing or
    /// accepts no documents.
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
            obstructed: Obstructed::default(),
            attempts: Attempts::new(batch.items.len(), false),
            delivered: Delivered::default(),
        }
    }

    /// Marks the work as a single document that was set aside before.
    pub(super) fn alone(self) -> Self {
        Self { attempts: Attempts::new(self.batch.items.len(), true), ..self }
    }

    /// Sets whether a 409 must be proven to be a duplicate. If not, each counts as one.
    pub(super) fn proving(self, proves: bool) -> Self {
        Self { proofs: Proofs::new(proves), ..self }
    }

    /// Returns whether nothing is left.
    pub(super) fn is_done(&self) -> bool {
        let is_sent = self.queue.is_empty() && !self.destinations.has_unplaced();
        is_sent && self.look_ups.is_empty() && self.proofs.is_empty()
    }

    /// Returns the items of the next request, or `None` if nothing is left to send. Takes as many as fit, and at
    /// least one.
    pub(super) fn take(&mut self, budget: RequestBudget) -> Option<Vec<usize>> {
        let (batch, attempts) = (self.batch, &self.attempts);
        let chunk = self.queue.take(|items| body::fitting(batch, &items[..attempts.share(items)], budget));
        if chunk.is_empty() {
            return None;
        }
        self.attempts.start(&chunk);
        Some(chunk)
    }

    /// Moves items for the same index as the next item to the front. Returns how many the next request may hold.
    pub(super) fn gather(&mut self) -> usize {
        let destinations = &self.destinations;
        self.queue.gather(|item| destinations.of(item))
    }

    /// Queues `items` again, because the attempt failed.
    pub(super) fn again(&mut self, items: Vec<usize>, progress: &mut Progress) {
        progress.counts.failed += items.len();
        self.queue.extend(items);
    }

    /// Queues `item` for `index`.
    pub(super) fn move_to(&mut self, item: usize, index: Arc<str>) {
        self.destinations.set(item, index);
        self.queue.extend([item]);
    }

    /// Notes that `item` will never be accepted.
    pub(super) fn refuse(&mut self, item: usize, refusal: Refusal, progress: &mut Progress) {
        self.delivered.refuse(item, refusal, self.attempts.of(item), &mut progress.counts);
    }

    /// Notes that `item` is refused for an unknown cause.
    fn set_aside(&mut self, item: usize, refusal: Refusal, progress: &mut Progress) {
        let (index, attempts) = (self.destinations.of(item), self.attempts.of(item));
        let set_aside = SetAside { item, index, is_looked_up: false, refusal, attempts };
        self.delivered.set_aside(set_aside, &mut progress.counts);
    }

    /// Sets aside the documents that met a block in the last step, if `is_apart` holds for the blocked index and they
    /// are at most `most`. If no other document is blocked, the request no longer counts as blocked. Returns one of
    /// these blocks.
    pub(super) fn set_blocked_aside(
        &mut self,
        most: usize,
        is_apart: impl Fn(&str) -> bool,
        progress: &mut Progress,
    ) -> Option<Block> {
        let mut blocked = self.obstructed.take();
        blocked.retain(|obstruction| self.awaits(obstruction));
        let (apart, left): (Vec<_>, Vec<_>) = blocked.into_iter().partition(|blocked| is_apart(&blocked.index));
        if apart.len() > most {
            return None;
        }
        let block = apart.first().map(|first| Block { index: Some(first.index.to_string()), ..first.block.clone() });
        if block.is_some() && left.is_empty() {
            progress.blockage.end();
        }
        for Obstruction { item, index, block, .. } in apart {
            let is_looked_up = self.look_ups.holds(item);
            self.queue.remove(item);
            self.look_ups.remove(item);
            self.proofs.remove(item);
            progress.counts.failed = progress.counts.failed.saturating_sub(1);
            let (refusal, attempts) = (block.refusal(), self.attempts.of(item));
            let set_aside = SetAside { item, index, is_looked_up, refusal, attempts };
            self.delivered.set_aside(set_aside, &mut progress.counts);
        }
        block
    }

    /// Returns whether the document of `obstruction` waits for the end of the block, and has not been placed elsewhere.
    fn awaits(&self, Obstruction { item, index, was_asked, .. }: &Obstruction) -> bool {
        match was_asked {
            true => self.look_ups.holds(*item) || self.proofs.holds(*item),
            false => self.queue.holds(*item) && self.destinations.of(*item) == *index,
        }
    }

    /// Queues the documents again that were set aside, except for the first `known`.
    pub(super) fn take_back(&mut self, known: usize, progress: &mut Progress) {
        let items = self.delivered.take_back(known, &mut progress.counts);
        self.again(items, progress);
    }

    /// Queues `items` for another look-up, because the last one failed.
    pub(super) fn look_up_again(&mut self, items: Vec<usize>, obstacle: Obstacle, progress: &mut Progress) {
        progress.counts.failed += items.len();
        progress.hindered(obstacle);
        self.look_ups.extend(items);
    }

    /// Notes that `item` was found in this many indices. It is a duplicate, unless the only copy is the one we wrote.
    pub(super) fn found(&mut self, item: usize, indices: usize, progress: &mut Progress) {
        if indices == 1 && self.look_ups.is_written(item) {
            self.delivered.index(&mut progress.counts);
        } else {
            self.delivered.duplicate(&mut progress.counts);
        }
    }

    /// Notes that `item` was not found in any index before the write index of `generation`.
    pub(super) fn not_found(&mut self, item: usize, generation: u64) {
        self.look_ups.note_checked(item, generation);
        self.queue.extend([item]);
    }

    /// Notes that the next request relies on the write index of `generation`. Moves queued items that `is_doubtful`
    /// selects to the look-ups, unless they have been looked up for that generation.
    pub(super) fn divert(&mut self, generation: u64, is_doubtful: impl Fn(i64) -> bool) {
        self.look_ups.count_on(generation);
        let (items, look_ups) = (&self.batch.items, &self.look_ups);
        let is_diverted = |item: usize| !look_ups.is_checked(item, generation) && is_doubtful(items[item].time);
        let diverted = self.queue.divert(is_diverted);
        self.look_ups.extend(diverted);
    }

    /// Queues the document of `suspect` for its proof.
    pub(super) fn suspect(&mut self, suspect: Suspect, progress: &mut Progress) {
        progress.counts.doubtful += 1;
        self.proofs.extend([suspect]);
    }

    /// Queues `suspects` for another proof, because the last attempt failed.
    pub(super) fn suspect_again(&mut self, suspects: Vec<Suspect>, obstacle: Obstacle, progress: &mut Progress) {
        progress.counts.failed += suspects.len();
        progress.hindered(obstacle);
        self.proofs.extend(suspects);
    }

    /// Queues `item` again, because the document stored under its id is gone.
    pub(super) fn send_again(&mut self, item: usize) {
        self.proofs.note_gone(item);
        self.queue.extend([item]);
    }
}

#[cfg(test)]
mod tests;
