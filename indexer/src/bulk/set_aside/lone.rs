//! Holds one document that was taken out of its batch and is tried alone.

use std::sync::Arc;

use super::open::{Open, PATIENCE};
use super::room::Place;
use super::{UndecidedDocuments, document_of};
use crate::batch::Batch;
use crate::bulk::delivered::{Delivered, Refused, SetAside};
use crate::bulk::doubt::{Case, Cause, Document};
use crate::bulk::limiter::now;

/// A document that was taken out of its batch and is tried alone.
#[derive(Debug)]
pub struct Lone {
    batch: Batch,
    document: Document,
    case: Case,
    attempts: u32,
    /// Whether the long wait for a verdict was logged.
    is_logged: bool,
    undecided: Arc<UndecidedDocuments>,
    _place: Place,
}

impl Lone {
    /// Waits for room among the `undecided` documents, and takes the document that `set_aside` names out of `batch`.
    pub(in crate::bulk) async fn single_out(
        undecided: &Arc<UndecidedDocuments>,
        batch: &Batch,
        set_aside: &SetAside,
    ) -> Self {
        let lone = batch.only(set_aside.item, Arc::clone(&set_aside.index));
        let lone = if set_aside.is_looked_up { lone.looked_up() } else { lone };
        let bytes = lone.held_bytes();
        let place = undecided.room.take(bytes).await;
        let document = document_of(&batch.items[set_aside.item]);
        let cause = Cause::of(&set_aside.refusal);
        let index = Arc::clone(&set_aside.index);
        let case = Case::new(Arc::clone(&index), cause.clone(), &undecided.evidence.doubts(), now());
        undecided.open.insert(document, Open { since: case.first(), bytes, index, cause });
        Self {
            batch: lone,
            document,
            case,
            attempts: set_aside.attempts,
            is_logged: false,
            undecided: Arc::clone(undecided),
            _place: place,
        }
    }

    /// Returns the document, as a batch of its own.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Returns how many bytes it holds.
    pub fn held_bytes(&self) -> usize {
        self.batch.held_bytes()
    }

    /// Returns the evidence about the document.
    pub(in crate::bulk) fn case(&self) -> &Case {
        &self.case
    }

    /// Reports that the document is at fault, with the refusal in `set_aside`.
    pub(in crate::bulk) fn refused(&self, set_aside: SetAside) -> Delivered {
        Delivered { refused: vec![Refused::of(0, set_aside.refusal, self.attempts)], ..Delivered::default() }
    }

    /// Notes that the document was refused again. Returns whether it is at fault.
    pub(in crate::bulk) fn refuse(&mut self, set_aside: &SetAside, before: u64) -> bool {
        self.attempts = self.attempts.saturating_add(set_aside.attempts);
        let cause = Cause::of(&set_aside.refusal);
        let is_at_fault =
            self.case.refuse(&set_aside.index, cause.clone(), before, &self.undecided.evidence.doubts(), now());
        self.undecided.open.renew(self.document, self.case.first(), &set_aside.index, cause);
        self.log_verdict(set_aside, false);
        is_at_fault
    }

    /// Notes that a full shard refused the document.
    pub(in crate::bulk) fn excuse(&mut self) {
        self.case.excuse();
    }

    /// Logs the verdict, and once that there is still none after a while. The reason may quote the document, so only
    /// the dead letter contains it.
    pub(in crate::bulk) fn log_verdict(&mut self, set_aside: &SetAside, is_at_fault: bool) {
        let (partition, offset) = self.document;
        let undecided = now().saturating_duration_since(self.case.first());
        if !is_at_fault && (self.is_logged || undecided < PATIENCE) {
            return;
        }
        self.is_logged = true;
        tracing::warn!(
            topic = self.undecided.open.topic(),
            partition = partition.0,
            offset = offset.0,
            index = &*set_aside.index,
            status = set_aside.refusal.status,
            error_type = set_aside.refusal.error_type,
            attempts = self.attempts,
            "{}",
            match is_at_fault {
                true =>
                    "Elasticsearch refuses a document repeatedly and accepts others meanwhile; the document goes to \
                     the dead-letter topic.",
                false if self.case.cause().is_block() =>
                    "An old index is blocked until an operator fixes it; a late document for it waits, and its \
                     partition's offset with it.",
                false if self.case.cause().is_transient() =>
                    "Elasticsearch fails at a document again and again; the document waits, and the offset of its \
                     partition with it. Check the shards of its index and its pipelines.",
                false =>
                    "Elasticsearch refuses a document, and no other document shows whether the document or the index \
                     is at fault; the document waits, and the offset of its partition waits with it.",
            }
        );
    }
}

impl Drop for Lone {
    fn drop(&mut self) {
        self.undecided.open.remove(self.document);
        self.undecided.evidence.doubts().forget(self.case.index(), self.document);
    }
}
