//! What became of a batch: how many documents were written, and which were refused or set aside.

use std::sync::Arc;

use super::doubt::Cause;
use super::outcome::Refusal;
use super::progress::Counts;

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Documents that were written.
    pub indexed: u64,
    /// Documents that already existed under the same id.
    pub duplicates: u64,
    /// Documents that Elasticsearch will never accept.
    pub refused: Vec<Refused>,
    /// Refused documents whose refusal may be the fault of the index. Pass them to `Bulk::single_out`.
    pub set_aside: Vec<SetAside>,
}

/// A document that Elasticsearch will never accept.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The item's index in `Batch::items`.
    pub item: usize,
    /// The status of the item's answer.
    pub status: u16,
    /// Elasticsearch's `error.type`.
    pub error_type: String,
    /// Elasticsearch's `error.reason`, capped.
    pub reason: String,
    /// How many times the document was sent.
    pub attempts: u32,
}

/// A document that is set aside.
#[derive(Clone, Debug)]
pub struct SetAside {
    /// The item's index in `Batch::items`.
    pub item: usize,
    /// The index that the document was sent to.
    pub index: Arc<str>,
    /// Whether the document is to be looked up, and was not sent to that index.
    pub is_looked_up: bool,
    /// How it was refused.
    pub refusal: Refusal,
    /// How many times the document was sent.
    pub attempts: u32,
}

impl SetAside {
    /// Returns whether the document is certainly not at fault: its index is blocked, or failed for now.
    pub fn is_blameless(&self) -> bool {
        let cause = Cause::of(&self.refusal);
        cause.is_block() || cause.is_transient()
    }
}

impl Delivered {
    /// Returns the outcome of a part of a batch as that of the batch: `items` maps the part's items to the batch's.
    pub(super) fn renumbered(mut self, items: &[usize]) -> Self {
        let of = |item: &mut usize| *item = items.get(*item).copied().unwrap_or(*item);
        self.refused.iter_mut().for_each(|refused| of(&mut refused.item));
        self.set_aside.iter_mut().for_each(|set_aside| of(&mut set_aside.item));
        self
    }

    /// Adds what became of another part of the same batch.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.indexed += other.indexed;
        self.duplicates += other.duplicates;
        self.refused.extend(other.refused);
        self.set_aside.extend(other.set_aside);
        self
    }

    /// Notes that a document was written, and counts it in the `counts` of its request.
    pub(super) fn index(&mut self, counts: &mut Counts) {
        counts.indexed += 1;
        self.indexed += 1;
    }

    /// Notes a document that already existed.
    pub(super) fn duplicate(&mut self, counts: &mut Counts) {
        counts.duplicates += 1;
        self.duplicates += 1;
    }

    /// Notes that `item` is refused after `attempts` attempts.
    pub(super) fn refuse(&mut self, item: usize, refusal: Refusal, attempts: u32, counts: &mut Counts) {
        counts.refused += 1;
        counts.in_failure_store += usize::from(refusal.is_stored());
        self.refused.push(Refused::of(item, refusal, attempts));
    }

    /// Notes a document that is set aside.
    pub(super) fn set_aside(&mut self, set_aside: SetAside, counts: &mut Counts) {
        counts.set_aside += 1;
        counts.in_failure_store += usize::from(set_aside.refusal.is_stored());
        self.set_aside.push(set_aside);
    }

    /// Returns the documents that were set aside, except for the first `known`.
    pub(super) fn set_aside_since(&self, known: usize) -> &[SetAside] {
        self.set_aside.get(known..).unwrap_or_default()
    }

    /// Removes the documents that were set aside, except for the first `known`, and returns their items.
    pub(super) fn take_back(&mut self, known: usize, counts: &mut Counts) -> Vec<usize> {
        counts.set_aside = 0;
        self.set_aside.drain(known..).map(|set_aside| set_aside.item).collect()
    }
}

impl Refused {
    /// Describes the refusal of `item` after `attempts` attempts.
    pub(super) fn of(item: usize, refusal: Refusal, attempts: u32) -> Self {
        let Refusal { status, error_type, reason, .. } = refusal;
        Self { item, status, error_type, reason, attempts }
    }
}

#[cfg(test)]
mod tests;
