//! Documents that are set aside, since it is not known what is at fault; and requests that are refused as a whole.

use std::collections::VecDeque;
use std::sync::Arc;

use super::whole::Others;
use super::{Progress, Work};
use crate::batch::Batch;
use crate::bulk::body;
use crate::bulk::limiter::RequestBudget;
use crate::bulk::outcome::{BulkFailure, Refusal, Trouble};

/// A document that is set aside.
#[derive(Clone, Debug)]
pub struct SetAside {
    /// The item's index in [`Batch::items`].
    pub item: usize,
    /// The index that it was sent to.
    pub index: Arc<str>,
    /// How it was refused.
    pub refusal: Refusal,
    /// How many times it was sent.
    pub attempts: u32,
}

impl<'a> Work<'a> {
    /// Returns the one document of `batch`, which was set aside before: it has been given the time that failures take
    /// to pass.
    pub(in crate::bulk) fn alone(batch: &'a Batch, reroutes: bool) -> Self {
        Self { is_alone: true, ..Self::new(batch, reroutes) }
    }
}

impl Refusal {
    /// Returns that a document was refused by a request that `failure` ended as a whole.
    fn of_whole(failure: &BulkFailure) -> Self {
        Self {
            status: 0,
            error_type: failure.trouble.as_str().to_owned(),
            reason: failure.detail.clone(),
            in_failure_store: false,
        }
    }
}

impl Work<'_> {
    /// Notes what other requests of the topic show.
    pub(in crate::bulk) fn note_others(&mut self, others: Others) {
        self.others = others;
    }

    /// Returns how many of `items`, from the first on, the next request may hold: at least one, if there is one.
    pub(super) fn fitting(&self, items: &[usize], budget: RequestBudget) -> usize {
        body::fitting(self.batch, &items[..self.whole.share(items)], budget)
    }

    /// A request of `chunk` failed as a whole. All of it is sent again, unless it is the one document that such
    /// requests have in common.
    pub(super) fn failed_whole(&mut self, chunk: Vec<usize>, failure: BulkFailure, progress: &mut Progress) {
        // Too much to do is never a document's fault.
        let is_suspect = failure.trouble != Trouble::Overload;
        progress.whole = chunk.first().filter(|_| is_suspect).map(|item| self.index_of(*item));
        let is_at_fault = is_suspect && (self.is_alone || self.whole.fail(&chunk, self.others));
        match chunk[..] {
            [item] if is_at_fault => self.set_aside(item, Refusal::of_whole(&failure), progress),
            _ => self.again(chunk, progress),
        }
        progress.failure = Some(failure);
    }

    /// Sets `item` aside.
    pub(super) fn set_aside(&mut self, item: usize, refusal: Refusal, progress: &mut Progress) {
        progress.set_aside += 1;
        let (index, attempts) = (self.index_of(item), self.attempts[item]);
        self.delivered.set_aside.push(SetAside { item, index, refusal, attempts });
    }

    /// Returns those that were set aside, except for the first `known`.
    pub(in crate::bulk) fn set_aside_since(&self, known: usize) -> &[SetAside] {
        self.delivered.set_aside.get(known..).unwrap_or_default()
    }

    /// Takes those back that were set aside, except for the first `known`: they are sent again with all others.
    pub(in crate::bulk) fn take_back(&mut self, known: usize, progress: &mut Progress) {
        let items = self.delivered.set_aside.drain(known..).map(|set_aside| set_aside.item).collect();
        progress.set_aside = 0;
        self.again(items, progress);
    }

    /// Keeps `chunk` as a whole: it is sent again at once.
    pub(in crate::bulk) fn keep_whole(&mut self, chunk: Vec<usize>) {
        self.left.extend(chunk);
    }

    /// Returns how many documents wait to be sent.
    pub(in crate::bulk) fn waiting(&self) -> usize {
        self.left.len() + self.halves.iter().map(Vec::len).sum::<usize>()
    }

    /// Puts those first that go to the same index as the next one; returns how many the next request may hold.
    pub(in crate::bulk) fn gather(&mut self) -> usize {
        let Some(first) = self.left.front().filter(|_| self.halves.is_empty()).map(|item| self.index_of(*item)) else {
            return usize::MAX;
        };
        let (mut same, others): (VecDeque<usize>, VecDeque<usize>) =
            self.left.iter().partition(|item| *self.index_of(**item) == *first);
        let count = same.len();
        same.extend(others);
        self.left = same;
        count
    }

    /// Cuts `chunk`, which was refused as a whole: by index, since a cluster may forbid that a request names more than
    /// that of its path; else in two. Returns the one document that it is, if so.
    pub(super) fn cut_by_index(&mut self, chunk: Vec<usize>) -> Option<usize> {
        if self.index_of_all(&chunk).is_some() {
            return self.cut(chunk);
        }
        let mut parts: Vec<(Arc<str>, Vec<usize>)> = Vec::new();
        for item in chunk {
            let index = self.index_of(item);
            match parts.iter_mut().find(|(known, _)| **known == *index) {
                Some((_, part)) => part.push(item),
                None => parts.push((index, vec![item])),
            }
        }
        for (_, part) in parts.into_iter().rev() {
            self.halves.push_front(part);
        }
        None
    }

    /// Returns the index of the batch's first target: its action lines do not name it.
    pub(in crate::bulk) fn index_of_first(&self) -> &str {
        self.batch.targets.first().map_or("", |target| &target.index)
    }

    /// Returns the index that all of `chunk` go to, if it is one.
    pub(in crate::bulk) fn index_of_all(&self, chunk: &[usize]) -> Option<Arc<str>> {
        let first = self.index_of(*chunk.first()?);
        let is_alone = self.batch.targets.len() == 1 && self.moved.is_empty();
        (is_alone || chunk.iter().all(|item| *self.index_of(*item) == *first)).then_some(first)
    }
}
