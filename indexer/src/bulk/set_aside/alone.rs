//! One attempt with a document that was set aside, and what its witness says.

use std::sync::Arc;

use super::{TopicEvidence, Witness};
use crate::bulk::doubt::Cause;
use crate::bulk::outcome::{Fate, Judgement};
use crate::bulk::progress::Ending;

/// One attempt with such a document.
#[derive(Debug)]
pub(in crate::bulk) struct Alone {
    pub(in crate::bulk) index: Arc<str>,
    pub(in crate::bulk) cause: Cause,
    /// A document that the index accepted before, sent together with it.
    pub(in crate::bulk) witness: Option<Witness>,
    /// What the index had accepted before it was sent; 0 if the attempt is no evidence.
    pub(in crate::bulk) before: u64,
}

impl Alone {
    /// Notes that the document is about to be sent.
    pub(in crate::bulk) fn start(&mut self, evidence: &TopicEvidence) {
        self.before = evidence.doubts().accepted_by(&self.index, &self.cause);
    }

    /// Takes the word of the witness, which is the first of `judgement`, out of it. Returns whether it was accepted
    /// again. If it was refused as the document is, the attempt is no evidence against the document.
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
            // What refuses a document that was accepted before is not this document: whatever else was accepted since.
            self.before = 0;
        }
        is_accepted
    }

    /// Takes the witness out if `judgement` refuses it and the document as a whole, which does not say which of them
    /// is meant, or whether it is both together. Returns how the request ended then.
    pub(in crate::bulk) fn part(&mut self, judgement: &Judgement) -> Option<Ending> {
        let is_too_large = matches!(judgement, Judgement::TooLarge);
        if !is_too_large && !matches!(judgement, Judgement::Refused(_) | Judgement::Doubtful(_) | Judgement::Faulted(_))
        {
            return None;
        }
        self.witness.take().map(|_| Ending::Parted { is_too_large })
    }
}

/// Returns how `fate` refuses a document, if it does.
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
