//! Documents that do not simply go where their batch says: those that are looked up first, and those that are placed
//! again.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Progress, Work};
use crate::bulk::body::Moved;
use crate::bulk::outcome::Refusal;
use crate::bulk::verify::Obstacle;

impl Work<'_> {
    /// Returns the documents of the next request for ids, at most `most`.
    pub(in crate::bulk) fn take_look_ups(&mut self, most: usize) -> Vec<usize> {
        let count = self.look_ups.len().min(most.max(1));
        self.look_ups.drain(..count).collect()
    }

    /// Takes out the documents that are to be placed again.
    pub(in crate::bulk) fn take_unplaced(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.unplaced)
    }

    /// Returns the indices that differ from the batch's.
    pub(in crate::bulk) fn moved(&self) -> &Moved {
        &self.moved
    }

    /// Returns the index that `item` was last sent to.
    pub(in crate::bulk) fn index_of(&self, item: usize) -> Arc<str> {
        match self.moved.get(&item) {
            Some(index) => Arc::clone(index),
            None => Arc::clone(&self.batch.targets[self.batch.items[item].target as usize].index),
        }
    }

    /// `item` is sent to `index` from now on.
    pub(in crate::bulk) fn move_to(&mut self, item: usize, index: Arc<str>) {
        if *self.index_of(item) != *index {
            self.moved.insert(item, index);
        }
        self.left.push_back(item);
    }

    /// `item` is looked up before it is sent again.
    pub(in crate::bulk) fn look_up_first(&mut self, item: usize) {
        self.look_ups.push_back(item);
    }

    /// `item` is looked up before it is sent again, but not at once: what is needed for it is not there yet.
    pub(in crate::bulk) fn look_up_later(&mut self, item: usize, progress: &mut Progress) {
        progress.failed += 1;
        self.look_ups.push_back(item);
    }

    /// `item` was looked up and not found in anything before the write index of `generation`.
    pub(in crate::bulk) fn note_checked(&mut self, item: usize, generation: u64) {
        self.checked.insert(item, generation);
        self.left.push_back(item);
    }

    /// The next request counts on the write index of `generation`. Puts those that are left and have not been looked up
    /// before it, and that `is_doubtful`, to those which are looked up first.
    pub(in crate::bulk) fn divert(&mut self, generation: u64, is_doubtful: impl Fn(i64) -> bool) {
        self.generation = Some(generation);
        let items = &self.batch.items;
        let checked = &self.checked;
        let diverted = |item: &usize| checked.get(item) != Some(&generation) && is_doubtful(items[*item].time);
        if !self.left.iter().any(diverted) {
            return;
        }
        let (doubtful, left): (VecDeque<usize>, VecDeque<usize>) = self.left.iter().partition(|item| diverted(item));
        self.left = left;
        self.look_ups.extend(doubtful);
    }

    /// The write index is that of `generation` by now. What the next answer says is written is looked up if that is not
    /// the one counted on.
    pub(in crate::bulk) fn check(&mut self, generation: u64) {
        self.is_doubtful = self.generation != Some(generation);
    }

    /// `item` is there, but looked up before that counts; `by_us` if we wrote it.
    pub(super) fn doubt(&mut self, item: usize, by_us: bool, progress: &mut Progress) {
        progress.doubtful += 1;
        if by_us {
            self.written.insert(item);
        }
        self.look_ups.push_back(item);
    }

    /// `items` are sent again: what was tried did not succeed.
    pub(in crate::bulk) fn put_back(&mut self, items: Vec<usize>, progress: &mut Progress) {
        self.again(items, progress);
    }

    /// `items` are looked up again: what was tried did not succeed.
    pub(in crate::bulk) fn look_up_again(&mut self, items: Vec<usize>, obstacle: Obstacle, progress: &mut Progress) {
        progress.failed += items.len();
        progress.hindered(obstacle);
        self.look_ups.extend(items);
    }

    /// `item` was looked up and found in so many indices. It is a duplicate, unless the one that is there is what we
    /// wrote.
    pub(in crate::bulk) fn found(&mut self, item: usize, indices: usize, progress: &mut Progress) {
        if indices == 1 && self.written.contains(&item) {
            self.settle_indexed(progress);
        } else {
            self.settle_duplicate(progress);
        }
    }

    /// `item` is not indexed, as the config wants it of what is older than the oldest backing index.
    pub(in crate::bulk) fn skip(progress: &mut Progress) {
        progress.settled += 1;
    }

    /// `item` becomes a dead letter, as the config wants it of what is older than the oldest backing index.
    pub(in crate::bulk) fn expire(&mut self, item: usize, progress: &mut Progress) {
        let refusal = Refusal {
            status: 404,
            error_type: "expired".to_owned(),
            reason: "its backing index is deleted (elasticsearch.placement.expired)".to_owned(),
            in_failure_store: false,
        };
        self.refuse(item, refusal, progress);
    }
}
