//! The evidence of one attempt with a doubtful document. Pure.

use std::sync::Arc;
use std::time::Instant;

use super::{Cause, Doubts};
use crate::bulk::outcome::Fate;

/// One attempt with a doubtful document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// The index that refused the document last.
    pub index: Arc<str>,
    /// How it refused the document.
    pub cause: Cause,
    /// How many documents the index had accepted before the attempt; 0 if the attempt proves nothing. See
    /// [`Case::refuse`](super::Case::refuse).
    pub before: u64,
}

impl Attempt {
    /// Begins an attempt with a document that `index` refused for `cause`.
    pub fn new(index: Arc<str>, cause: Cause) -> Self {
        Self { index, cause, before: 0 }
    }

    /// Notes that the document is about to be sent.
    pub fn start(&mut self, doubts: &Doubts) {
        self.before = doubts.accepted_by(&self.index, &self.cause);
    }

    /// Notes the outcome of the `witness` that was sent together with the document, and that of the `document`.
    /// Returns whether the witness was accepted again. If both were refused alike, the attempt proves nothing against
    /// the document.
    pub fn hear(&mut self, doubts: &mut Doubts, witness: &Fate, document: Option<&Fate>, now: Instant) -> bool {
        let cause = cause_of(witness);
        let is_refused_alike = cause.is_some() && document.and_then(cause_of) == cause;
        let is_accepted = hear(doubts, &self.index, witness, now);
        if is_accepted {
            self.start(doubts);
        } else if is_refused_alike {
            // The witness was accepted before, so the same refusal is not the fault of this document, even if others
            // were accepted.
            self.before = 0;
        }
        is_accepted
    }
}

/// Returns the cause for which `fate` refuses a document, if it does.
pub fn cause_of(fate: &Fate) -> Option<Cause> {
    match fate {
        Fate::Refused(refusal)
        | Fate::Doubtful(refusal)
        | Fate::Faulted(refusal)
        | Fate::NotMapped(refusal)
        | Fate::IndexMissing(refusal) => Some(Cause::of(refusal)),
        Fate::Indexed | Fate::Dropped | Fate::Duplicate(_) | Fate::Retry(_) | Fate::Blocked(_) => None,
    }
}

/// Notes in `doubts` the outcome of the witness of `index`. Returns whether it was accepted again.
pub fn hear(doubts: &mut Doubts, index: &Arc<str>, witness: &Fate, now: Instant) -> bool {
    match witness {
        Fate::Indexed => doubts.accept(index, 1, 0, now),
        Fate::Duplicate(_) => doubts.accept(index, 0, 1, now),
        Fate::Doubtful(refusal) | Fate::Faulted(refusal) | Fate::NotMapped(refusal) | Fate::Refused(refusal) => {
            doubts.refuse_witness(index, &Cause::of(refusal));
            return false;
        }
        // The request did not reach the index.
        Fate::Dropped => return false,
        Fate::Retry(_) | Fate::Blocked(_) | Fate::IndexMissing(_) => return false,
    }
    true
}
