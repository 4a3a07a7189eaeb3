//! Whose fault a doubtful refusal is: the document's, or that of its index. Pure: time is a parameter.
//!
//! A refusal says that a document was not accepted now. It does not say what is at fault; other documents of the same
//! index do. While they are accepted again and again, before and after each refusal of this one, it is this one. If
//! they are refused in the same way and none is accepted, it is the index, or the cluster. Without others there is no
//! evidence, and nothing is decided.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka::position::{Offset, Partition};

use super::outcome::{Refusal, Trouble};

/// A document is at fault when it was refused so many times, each time after another document of its index had been
/// accepted.
const ROUNDS: u32 = 5;
/// The least time from the first of these refusals to the last.
const SPAN: Duration = Duration::from_secs(5);
/// The same for 5xx, which a failing node gives too, for as long as it takes to fail over.
const SERVER_SPAN: Duration = Duration::from_secs(10);
/// The same where the whole request failed, which may be a node's fault, a proxy's or the network's: at random, so that
/// only many in a row say something. Of requests that time out, fewer do: each takes long.
const WHOLE_ROUNDS: u32 = 20;
const TIMED_OUT_ROUNDS: u32 = 10;
const WHOLE_SPAN: Duration = Duration::from_secs(60);
/// A document that was answered for is not judged by requests that failed as a whole, except for so many in a row.
const MAX_STRAYS: u32 = 3;
/// An index is at fault when so many documents were refused in the same way, and none was accepted since.
const ENOUGH: usize = 2;
/// While another index has accepted a document within this time, one that is at fault does not stop the topic.
const LATELY: Duration = Duration::from_secs(2);
/// How many indices are remembered; the one that came first is forgotten first.
const MAX_INDICES: usize = 64;
/// How many ways of refusing are remembered of one index.
const MAX_CAUSES: usize = 16;
/// How many documents are remembered of one way of refusing.
const MAX_DOCUMENTS: usize = 16;

/// Which document: where its record stands.
pub type Document = (Partition, Offset);

/// In which way a document was refused. The text of the message is no part of it: it names the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The status; 0 where the whole request failed.
    pub status: u16,
    /// Elasticsearch's `error.type`.
    pub error_type: String,
}

/// What is known of all indices of one topic.
#[derive(Debug, Default)]
pub struct Doubts {
    indices: HashMap<Arc<str>, Evidence>,
    order: VecDeque<Arc<str>>,
}

/// What is known of one index.
#[derive(Debug, Default)]
struct Evidence {
    /// Documents written.
    written: u64,
    /// Documents written, and documents that were there already.
    accepted: u64,
    /// When the last of them was.
    last: Option<Instant>,
    /// Whether a document is known that was accepted once, and can be asked again.
    has_witness: bool,
    refused: VecDeque<Refused>,
}

/// The documents that an index has refused in one way since it accepted one.
#[derive(Debug)]
struct Refused {
    cause: Cause,
    documents: VecDeque<Document>,
    witness: bool,
}

/// One doubtful document.
#[derive(Clone, Debug)]
pub struct Case {
    index: Arc<str>,
    cause: Cause,
    first: Instant,
    /// What its index had accepted when it was refused last.
    accepted: u64,
    rounds: u32,
    /// Whole requests that failed since it was answered for.
    strays: u32,
}

impl Cause {
    /// Returns that of `refusal`.
    pub fn of(refusal: &Refusal) -> Self {
        Self { status: refusal.status, error_type: refusal.error_type.clone() }
    }

    /// Returns whether only a document that is written proves the index well. A full shard refuses a new document with
    /// this type, after it has looked its id up: it still answers 409 for one that is there (Elasticsearch's
    /// `InternalEngine`, `failAsTooManyDocs`).
    pub fn needs_writing(&self) -> bool {
        self.status == 400 && self.error_type == "illegal_argument_exception"
    }

    /// Returns whether the whole request failed, without an answer for the document.
    pub fn is_whole(&self) -> bool {
        self.status == 0
    }

    fn rounds(&self) -> u32 {
        match self.is_whole() {
            true if self.error_type == Trouble::TimedOut.as_str() => TIMED_OUT_ROUNDS,
            true => WHOLE_ROUNDS,
            false => ROUNDS,
        }
    }

    /// Returns that of a request that `trouble` ended as a whole.
    pub fn of_whole(trouble: Trouble) -> Self {
        Self { status: 0, error_type: trouble.as_str().to_owned() }
    }

    fn span(&self) -> Duration {
        if self.is_whole() {
            return WHOLE_SPAN;
        }
        if self.status >= 500 { SERVER_SPAN } else { SPAN }
    }
}

impl Doubts {
    /// Notes that `index` wrote `written` documents, and had `present` others already.
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
        // What fails as a whole is the breaker's affair: it is no answer of the index.
        if cause.is_whole() {
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

    /// Notes that `index` refused for `cause` a document that it had accepted before.
    pub fn refuse_witness(&mut self, index: &Arc<str>, cause: &Cause) {
        self.evidence(index).refused(cause).witness = true;
    }

    /// Notes whether there is a document of `index` that can be asked again.
    pub fn set_witness(&mut self, index: &Arc<str>, has_witness: bool) {
        self.evidence(index).has_witness = has_witness;
    }

    /// Drops what is known of `document`, of which is decided.
    pub fn forget(&mut self, index: &Arc<str>, document: Document) {
        for refused in &mut self.evidence(index).refused {
            refused.documents.retain(|known| *known != document);
        }
    }

    /// Returns whether no index but `index` has accepted a document lately.
    pub fn is_alone(&self, index: &str, now: Instant) -> bool {
        let is_late = |last: Instant| now.saturating_duration_since(last) < LATELY;
        !self.indices.iter().any(|(name, evidence)| **name != *index && evidence.last.is_some_and(is_late))
    }

    /// Returns how many documents `index` has accepted, of those that prove it well where others are refused for
    /// `cause`.
    pub fn accepted_by(&self, index: &str, cause: &Cause) -> u64 {
        let Some(evidence) = self.indices.get(index) else { return 0 };
        if cause.needs_writing() { evidence.written } else { evidence.accepted }
    }

    /// Returns whether it is the fault of `index` that it refuses documents for `cause`.
    pub fn blames(&self, index: &str, cause: &Cause) -> bool {
        let Some(evidence) = self.indices.get(index) else { return false };
        let Some(refused) = evidence.refused.iter().find(|refused| refused.cause == *cause) else { return false };
        // Where a document can be asked again that was accepted before, its word is waited for.
        let is_asked = cause.needs_writing() || refused.witness || !evidence.has_witness;
        is_asked && refused.documents.len() + usize::from(refused.witness) >= ENOUGH
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
    /// A document that `index` has just refused for `cause`.
    pub fn new(index: Arc<str>, cause: Cause, doubts: &Doubts, now: Instant) -> Self {
        let accepted = doubts.accepted_by(&index, &cause);
        Self { index, cause, first: now, accepted, rounds: 0, strays: 0 }
    }

    /// Returns the index that refused it last.
    pub fn index(&self) -> &Arc<str> {
        &self.index
    }

    /// Returns how it was refused last.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Returns when it was refused first.
    pub fn first(&self) -> Instant {
        self.first
    }

    /// Notes that it was refused again, by `index` for `cause`. Before it was sent, the index had accepted `before`
    /// documents (as [`Doubts::accepted_by`] counts them; 0 if one that it had accepted was refused in the same way
    /// beside it). Returns whether it is its own fault.
    pub fn refuse(&mut self, index: &Arc<str>, cause: Cause, before: u64, doubts: &Doubts, now: Instant) -> bool {
        if cause.is_whole() && !self.cause.is_whole() && self.strays < MAX_STRAYS {
            self.strays += 1;
            return false;
        }
        if *self.index != **index || cause.is_whole() != self.cause.is_whole() {
            *self = Self::new(Arc::clone(index), cause, doubts, now);
            return false;
        }
        // A count of another kind, or of an index that was forgotten meanwhile, is no evidence.
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
