//! Decides whether a document or its index causes a doubtful refusal. Pure: time is a parameter.
//!
//! A refusal shows that a document was not accepted now, but not why. Other documents of the same index do. If others
//! are accepted again and again, before and after each refusal of this document, the document is at fault. If others
//! are refused in the same way and none is accepted, the index or the cluster is at fault. Without other documents
//! there is no evidence, and nothing is decided.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka::position::{Offset, Partition};

pub use attempt::{Attempt, cause_of, hear};
pub use cause::Cause;

mod attempt;
mod cause;

/// How many failures of whole requests in a row are ignored for a document that has been answered individually.
const MAX_STRAYS: u32 = 3;
/// An index is at fault if this many documents were refused in the same way and none has been accepted since.
const ENOUGH: usize = 2;
/// An index at fault does not stop the topic if another index accepted a document within this time.
const LATELY: Duration = Duration::from_secs(2);
/// How many indices are remembered. The oldest entry is dropped first.
const MAX_INDICES: usize = 64;
/// How many causes of refusal are remembered per index.
const MAX_CAUSES: usize = 16;
/// How many documents are remembered per cause.
const MAX_DOCUMENTS: usize = 16;

/// Identifies a document by the position of its record.
pub type Document = (Partition, Offset);

/// Holds the evidence on all indices of one topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Doubts {
    indices: BTreeMap<Arc<str>, Evidence>,
    order: VecDeque<Arc<str>>,
}

/// Holds the evidence on one index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Evidence {
    /// Documents written.
    written: u64,
    /// Documents written, plus documents that already existed.
    accepted: u64,
    /// When the index last accepted a document.
    last: Option<Instant>,
    /// Whether there is a witness: a document that the index accepted before and that can be sent again.
    has_witness: bool,
    refused: VecDeque<Refused>,
}

/// Documents that an index refused for one cause since it last accepted one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Refused {
    cause: Cause,
    documents: VecDeque<Document>,
    witness: bool,
}

/// One doubtful document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Case {
    index: Arc<str>,
    cause: Cause,
    first: Instant,
    /// How many documents the index had accepted at the last refusal.
    accepted: u64,
    rounds: u32,
    /// Whole requests that failed since the document was last answered individually.
    strays: u32,
}

impl Doubts {
    /// Notes that `index` wrote `written` documents and already had `present` others.
    pub fn accept(&mut self, index: &Arc<str>, written: u64, present: u64, now: Instant) {
        if written + present == 0 {
            return;
        }
        let evidence = self.evidence(index);
        evidence.last = Some(now);
        evidence.written += written;
        evidence.accepted += written + present;
        evidence.refused.retain(|refused| written == 0 && refused.cause.needs_writing());
    }

    /// Notes that `index` refused `document` for `cause`.
    pub fn refuse(&mut self, index: &Arc<str>, cause: &Cause, document: Document) {
        // A failure for now shows nothing about the index. The breaker handles it.
        if cause.is_whole() || cause.is_transient() {
            return;
        }
        let documents = &mut self.evidence(index).refused(cause).documents;
        if documents.contains(&document) {
            return;
        }
        if documents.len() == MAX_DOCUMENTS {
            documents.pop_front();
        }
        documents.push_back(document);
    }

    /// Notes that `index` refused, for `cause`, a witness: a document that it had accepted before.
    pub fn refuse_witness(&mut self, index: &Arc<str>, cause: &Cause) {
        self.evidence(index).refused(cause).witness = true;
    }

    /// Notes whether `index` has a witness that can be sent again.
    pub fn set_witness(&mut self, index: &Arc<str>, has_witness: bool) {
        self.evidence(index).has_witness = has_witness;
    }

    /// Drops the evidence from `document`, which has been decided.
    pub fn forget(&mut self, index: &Arc<str>, document: Document) {
        for refused in &mut self.evidence(index).refused {
            refused.documents.retain(|known| *known != document);
        }
    }

    /// Returns whether no index except `index` has accepted a document lately.
    pub fn is_alone(&self, index: &str, now: Instant) -> bool {
        let is_late = |last: Instant| now.saturating_duration_since(last) < LATELY;
        !self.indices.iter().any(|(name, evidence)| **name != *index && evidence.last.is_some_and(is_late))
    }

    /// Returns how many documents `index` has accepted that prove it healthy if others are refused for `cause`.
    pub fn accepted_by(&self, index: &str, cause: &Cause) -> u64 {
        let Some(evidence) = self.indices.get(index) else { return 0 };
        if cause.needs_writing() { evidence.written } else { evidence.accepted }
    }

    /// Returns whether `index` is at fault for refusing documents for `cause`.
    pub fn blames(&self, index: &str, cause: &Cause) -> bool {
        let Some(evidence) = self.indices.get(index) else { return false };
        let Some(refused) = evidence.refused.iter().find(|refused| refused.cause == *cause) else { return false };
        // A failure store hides the reason, and a witness does not go there.
        let is_witness_refused =
            refused.witness || (cause.is_stored() && evidence.refused.iter().any(|refused| refused.witness));
        // If the index has a witness, its answer is awaited first.
        let is_asked = cause.needs_writing() || is_witness_refused || !evidence.has_witness;
        is_asked && refused.documents.len() + usize::from(is_witness_refused) >= ENOUGH
    }

    fn evidence(&mut self, index: &Arc<str>) -> &mut Evidence {
        if !self.indices.contains_key(index) {
            if self.order.len() == MAX_INDICES
                && let Some(oldest) = self.order.pop_front()
            {
                self.indices.remove(&oldest);
            }
            self.order.push_back(Arc::clone(index));
        }
        self.indices.entry(Arc::clone(index)).or_default()
    }
}

impl Evidence {
    fn refused(&mut self, cause: &Cause) -> &mut Refused {
        let number = self.refused.iter().position(|refused| refused.cause == *cause).unwrap_or_else(|| {
            if self.refused.len() == MAX_CAUSES {
                self.refused.pop_front();
            }
            self.refused.push_back(Refused { cause: cause.clone(), documents: VecDeque::new(), witness: false });
            self.refused.len() - 1
        });
        &mut self.refused[number]
    }
}

impl Case {
    /// Opens a case for a document that `index` has just refused for `cause`.
    pub fn new(index: Arc<str>, cause: Cause, doubts: &Doubts, now: Instant) -> Self {
        let accepted = doubts.accepted_by(&index, &cause);
        Self { index, cause, first: now, accepted, rounds: 0, strays: 0 }
    }

    /// Returns the index that refused the document last.
    pub fn index(&self) -> &Arc<str> {
        &self.index
    }

    /// Returns how the document was refused last.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Returns when the document was refused first.
    pub fn first(&self) -> Instant {
        self.first
    }

    /// Notes that a full shard refused the document: its refusals so far prove nothing.
    pub fn excuse(&mut self) {
        self.rounds = 0;
    }

    /// Notes that `index` refused the document again, for `cause`. `before` is how many documents the index had
    /// accepted before this attempt (as [`Doubts::accepted_by`] counts them; 0 if its witness was refused in the same
    /// way). Returns whether the document is at fault.
    pub fn refuse(&mut self, index: &Arc<str>, cause: Cause, before: u64, doubts: &Doubts, now: Instant) -> bool {
        if cause.is_transient() {
            return false;
        }
        if cause.is_whole() && !self.cause.is_whole() && self.strays < MAX_STRAYS {
            self.strays += 1;
            return false;
        }
        if cause.is_block() || self.cause.is_block() || self.cause.is_transient() {
            *self = Self { first: self.first, ..Self::new(Arc::clone(index), cause, doubts, now) };
            return false;
        }
        if *self.index != **index || cause.is_whole() != self.cause.is_whole() {
            *self = Self::new(Arc::clone(index), cause, doubts, now);
            return false;
        }
        // A count of another kind, or of an index that has been forgotten meanwhile, proves nothing.
        let is_comparable = self.cause.needs_writing() == cause.needs_writing();
        if is_comparable && before > self.accepted {
            self.rounds += 1;
        }
        self.accepted = doubts.accepted_by(index, &cause);
        self.cause = cause;
        self.strays = 0;
        self.rounds >= self.cause.rounds() && now.saturating_duration_since(self.first) >= self.cause.span()
    }
}

#[cfg(test)]
mod tests;
