//! Collects what the answers of one topic show: which index accepts documents, and which refuses them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::document_of;
use super::witness::{Witness, Witnesses};
use crate::batch::Batch;
use crate::bulk::doubt::{self, Attempt, Cause, Doubts};
use crate::bulk::limiter::now;
use crate::bulk::outcome::{Block, Fate, Judgement, Refusal};
use crate::bulk::work::Work;
use crate::bulk::work::whole::Others;

/// The evidence of one topic.
#[derive(Debug)]
pub(in crate::bulk) struct TopicEvidence {
    doubts: Mutex<Doubts>,
    witnesses: Mutex<Witnesses>,
    /// Requests in which a document was accepted.
    accepted: AtomicU64,
}

/// What an index accepted from one request.
#[derive(Debug)]
pub(in crate::bulk) struct Tally {
    index: Arc<str>,
    written: u64,
    present: u64,
    /// One of these documents.
    item: usize,
}

impl TopicEvidence {
    /// Creates empty evidence. `is_stream` says whether it is for a data stream.
    pub(super) fn new(is_stream: bool) -> Self {
        let witnesses = Mutex::new(Witnesses::new(is_stream));
        Self { doubts: Mutex::default(), witnesses, accepted: AtomicU64::new(0) }
    }

    /// Weighs what was accepted, and the documents that `work` has set aside, except for the first `known`. Returns a
    /// block if an index is at fault and no other index accepts documents.
    pub(in crate::bulk) fn weigh(
        &self,
        work: &Work<'_>,
        batch: &Batch,
        known: usize,
        tallies: Vec<Tally>,
    ) -> Option<Block> {
        let refused = work.delivered.set_aside_since(known);
        let (mut doubts, now) = (self.doubts(), now());
        if !tallies.is_empty() {
            self.accepted.fetch_add(1, Ordering::Relaxed);
        }
        for set_aside in refused {
            doubts.refuse(&set_aside.index, &Cause::of(&set_aside.refusal), document_of(&batch.items[set_aside.item]));
        }
        for tally in tallies {
            let item = &batch.items[tally.item];
            let lines = &batch.body[item.body.clone()];
            doubts.accept(&tally.index, tally.written, tally.present, now);
            let has_witness = self.witnesses().offer(&tally.index, lines, now);
            doubts.set_witness(&tally.index, has_witness);
        }
        let blamed =
            refused.iter().find(|set_aside| doubts.blames(&set_aside.index, &Cause::of(&set_aside.refusal)))?;
        if !doubts.is_alone(&blamed.index, now) {
            return None;
        }
        Some(Block::of_index(&blamed.index, &blamed.refusal))
    }

    /// Returns the block if a whole request to `index` was refused in the way in which the index refuses all
    /// documents.
    pub(in crate::bulk) fn known_block(&self, index: &str, refusal: &Refusal) -> Option<Block> {
        self.doubts().blames(index, &Cause::of(refusal)).then(|| Block::of_index(index, refusal))
    }

    /// Returns what other requests of the topic show about a request to `index` that fails as a whole.
    pub(in crate::bulk) fn others(&self, index: &str) -> Others {
        let accepted = self.accepted.load(Ordering::Relaxed);
        Others { accepted, has_witness: self.witnesses().get(index).is_some() }
    }

    /// Returns the witness of `index`.
    pub(super) fn witness(&self, index: &str) -> Option<Witness> {
        self.witnesses().get(index)
    }

    /// Drops the witness of `index`, which is gone or may not be read.
    pub(super) fn drop_witness(&self, index: &Arc<str>) {
        self.witnesses().drop_of(index);
        self.doubts().set_witness(index, false);
    }

    /// Notes the outcome of the witness of `index`. Returns whether it was accepted again.
    pub(super) fn hear(&self, index: &Arc<str>, witness: &Fate) -> bool {
        let is_accepted = doubt::hear(&mut self.doubts(), index, witness, now());
        self.note_witness(is_accepted)
    }

    /// Notes in `attempt` the outcomes of a `document` and of the `witness` beside it. Returns whether the witness was
    /// accepted again.
    pub(super) fn hear_beside(&self, attempt: &mut Attempt, witness: &Fate, document: Option<&Fate>) -> bool {
        let is_accepted = attempt.hear(&mut self.doubts(), witness, document, now());
        self.note_witness(is_accepted)
    }

    /// Returns the doubts about each index and document.
    pub(in crate::bulk) fn doubts(&self) -> MutexGuard<'_, Doubts> {
        self.doubts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a witness that was accepted, and returns whether it was.
    fn note_witness(&self, is_accepted: bool) -> bool {
        self.accepted.fetch_add(u64::from(is_accepted), Ordering::Relaxed);
        is_accepted
    }

    fn witnesses(&self) -> MutexGuard<'_, Witnesses> {
        self.witnesses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    /// Returns what each index accepted of `chunk`, according to `judgement`.
    pub(in crate::bulk) fn of(work: &Work<'_>, chunk: &[usize], judgement: &Judgement) -> Vec<Self> {
        let Judgement::Items(fates) = judgement else { return Vec::new() };
        let mut tallies: Vec<Self> = Vec::with_capacity(1);
        for (item, fate) in chunk.iter().zip(fates) {
            let (written, present) = match fate {
                Fate::Indexed => (1, 0),
                Fate::Duplicate(_) => (0, 1),
                _ => continue,
            };
            let index = work.destinations.of(*item);
            match tallies.iter_mut().rfind(|tally| Arc::ptr_eq(&tally.index, &index) || *tally.index == *index) {
                Some(tally) => {
                    tally.written += written;
                    tally.present += present;
                }
                None => tallies.push(Self { index, written, present, item: *item }),
            }
        }
        tallies
    }
}

#[cfg(test)]
mod tests;
