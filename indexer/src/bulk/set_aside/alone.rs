//! Makes one attempt with a document that was set aside, together with its witness.

use std::sync::Arc;

use super::{TopicEvidence, Witness};
use crate::bulk::doubt::Cause;
use crate::bulk::outcome::{Fate, Judgement};
use crate::bulk::progress::Ending;

/// One attempt with a document that was set aside.
#[derive(Debug)]
pub(in crate::bulk) struct Alone {
    pub(in crate::bulk) index: Arc<str>,
    pub(in crate::bulk) cause: Cause,
    /// The witness that is sent together with it.
    pub(in crate::bulk) witness: Option<Witness>,
    /// How many documents the index had accepted before the attempt; 0 if the attempt is no evidence.
    pub(in crate::bulk) before: u64,
}

impl Alone {
    /// Notes that the document goes to `index`. Drops the witness if that is another index than its own: there it would
    /// be written, as a second document.
    pub(in crate::bulk) fn goes_to(&mut self, index: &str) {
        if *self.index != *index {
            self.witness = None;
        }
    }

    /// Notes that the document is about to be sent.
    pub(in crate::bulk) fn start(&mut self, evidence: &TopicEvidence) {
        self.before = evidence.doubts().accepted_by(&self.index, &self.cause);
    }

    /// Removes the witness's outcome, which is the first, from `judgement`. Returns whether the witness was accepted
    /// again. If it was refused like the document, the attempt is no evidence against the document.
    pub(in crate::bulk) fn hear(&mut self, evidence: &TopicEvidence, judgement: &mut Judgement) -> bool {
        if self.witness.is_none() {
            return false;
        }
        let Judgement::Items(fates) = judgement else { return false };
        let witness = fates.remove(0);
        let cause = cause_of(&witness);
        let is_refused_alike = cause.is_some() && fates.first().and_then(cause_of) == cause;
        let is_accepted = evidence.hear(&self.index, witness);
        if is_accepted {
            self.start(evidence);
        } else if is_refused_alike {
            // The witness was accepted before, so the same refusal is not the fault of this document, even if others
            // were accepted.
            self.before = 0;
        }
        is_accepted
    }

    /// Drops the witness if `judgement` refuses it and the document as a whole, because that does not show which of
    /// them is at fault, or whether both together are. Returns how the request ended in that case.
    pub(in crate::bulk) fn part(&mut self, judgement: &Judgement) -> Option<Ending> {
        let is_too_large = matches!(judgement, Judgement::TooLarge);
        if !is_too_large && !matches!(judgement, Judgement::Refused(_) | Judgement::Doubtful(_) | Judgement::Faulted(_))
        {
            return None;
        }
        self.witness.take().map(|_| Ending::Parted { is_too_large })
    }
}

/// Returns the cause for which `fate` refuses a document, if it does.
fn cause_of(fate: &Fate) -> Option<Cause> {
    match fate {
        Fate::Refused(refusal)
        | Fate::Doubtful(refusal)
        | Fate::Faulted(refusal)
        | Fate::NotMapped(refusal)
        | Fate::IndexMissing(refusal) => Some(Cause::of(refusal)),
        Fate::Indexed | Fate::Dropped | Fate::Duplicate(_) | Fate::Retry(_) | Fate::Blocked(_) => None,
    }
}
