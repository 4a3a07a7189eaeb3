//! Queues the documents of a batch that are left to send, and decides which go together. Pure.

use std::collections::VecDeque;

/// Documents that are left to send, by their index in the batch.
#[derive(Debug)]
pub(in crate::bulk) struct Queue {
    /// Parts of divided chunks, each of which must be a request of its own.
    parts: VecDeque<Vec<usize>>,
    /// All other documents.
    left: VecDeque<usize>,
}

impl Queue {
    /// Creates a queue of the documents `left`.
    pub(super) fn new(left: VecDeque<usize>) -> Self {
        Self { parts: VecDeque::new(), left }
    }

    /// Returns whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.left.is_empty()
    }

    /// Returns how many documents are left.
    pub(in crate::bulk) fn len(&self) -> usize {
        self.left.len() + self.parts.iter().map(Vec::len).sum::<usize>()
    }

    /// Takes the documents of the next request: as many of the next ones as `fitting` returns.
    pub(super) fn take(&mut self, fitting: impl Fn(&[usize]) -> usize) -> Vec<usize> {
        match self.parts.pop_front() {
            Some(mut part) => {
                let rest = part.split_off(fitting(&part));
                if !rest.is_empty() {
                    self.parts.push_front(rest);
                }
                part
            }
            None => {
                self.left.make_contiguous();
                let count = fitting(self.left.as_slices().0);
                self.left.drain(..count).collect()
            }
        }
    }

    /// Appends `items` to the queue.
    pub(in crate::bulk) fn extend(&mut self, items: impl IntoIterator<Item = usize>) {
        self.left.extend(items);
    }

    /// Returns whether `item` is among those that failed, or were not sent yet.
    pub(super) fn holds(&self, item: usize) -> bool {
        self.left.contains(&item)
    }

    /// Takes `item` out, unless it is part of a divided chunk.
    pub(super) fn remove(&mut self, item: usize) {
        self.left.retain(|left| *left != item);
    }

    /// Halves `chunk`, or returns its only document.
    pub(super) fn cut(&mut self, mut chunk: Vec<usize>) -> Option<usize> {
        if let [item] = chunk[..] {
            return Some(item);
        }
        let second = chunk.split_off(chunk.len() / 2);
        self.put_first(vec![chunk, second]);
        None
    }

    /// Queues `parts` to be sent next, in this order, each in a request of its own.
    pub(super) fn put_first(&mut self, parts: Vec<Vec<usize>>) {
        parts.into_iter().rev().for_each(|part| self.parts.push_front(part));
    }

    /// Moves the documents that go to the same index as the next one to the front, by `index_of`. Returns how many
    /// the next request may hold.
    pub(super) fn gather<I: PartialEq>(&mut self, index_of: impl Fn(usize) -> I) -> usize {
        let Some(first) = self.left.front().filter(|_| self.parts.is_empty()).map(|item| index_of(*item)) else {
            return usize::MAX;
        };
        let (mut same, others): (VecDeque<usize>, VecDeque<usize>) =
            self.left.iter().partition(|item| index_of(**item) == first);
        let count = same.len();
        same.extend(others);
        self.left = same;
        count
    }

    /// Takes out the documents that `is_diverted` selects, except for parts of divided chunks.
    pub(super) fn divert(&mut self, is_diverted: impl Fn(usize) -> bool) -> VecDeque<usize> {
        if !self.left.iter().any(|item| is_diverted(*item)) {
            return VecDeque::new();
        }
        let (diverted, left) = self.left.iter().partition(|item| is_diverted(**item));
        self.left = left;
        diverted
    }
}

#[cfg(test)]
mod tests;
