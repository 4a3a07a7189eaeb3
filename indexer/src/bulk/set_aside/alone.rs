//! Makes one attempt with a document that was set aside, together with its witness.

use super::{TopicEvidence, Witness};
use crate::bulk::doubt::Attempt;
use crate::bulk::outcome::Judgement;
use crate::bulk::progress::{Ending, Progress};

/// One attempt with a document that was set aside.
#[derive(Debug)]
pub(in crate::bulk) struct Alone {
    /// What the attempt shows about the document.
    pub(in crate::bulk) attempt: Attempt,
    /// The witness that is sent together with it.
    pub(in crate::bulk) witness: Option<Witness>,
}

impl Alone {
    /// Notes that the document goes to `index`. Drops the witness if that is not its own index, where it would become a
    /// second document.
    pub(in crate::bulk) fn goes_to(&mut self, index: &str) {
        if *self.attempt.index != *index {
            self.witness = None;
        }
    }

    /// Notes that the document is about to be sent.
    pub(in crate::bulk) fn start(&mut self, evidence: &TopicEvidence) {
        self.attempt.start(&evidence.doubts());
    }

    /// Returns whether the document has failed for now again, as it did before: `progress` then shows nothing new about
    /// Elasticsearch.
    pub(in crate::bulk) fn fails_again(&self, progress: &Progress) -> bool {
        self.attempt.cause.is_transient() && progress.failure.is_some() && progress.ending == Ending::Plain
    }

    /// Removes the witness's outcome, which is the first, from `judgement`. Returns whether the witness was accepted
    /// again.
    pub(in crate::bulk) fn hear(&mut self, evidence: &TopicEvidence, judgement: &mut Judgement) -> bool {
        if self.witness.is_none() {
            return false;
        }
        let Judgement::Items(fates) = judgement else { return false };
        let witness = fates.remove(0);
        evidence.hear_beside(&mut self.attempt, &witness, fates.first())
    }

    /// Drops the witness if `judgement` refuses it and the document as a whole, because that does not show which of
    /// them is at fault, or whether both together are. Returns how the request ended in that case.
    pub(in crate::bulk) fn part(&mut self, judgement: &Judgement) -> Option<Ending> {
        let is_too_large = matches!(judgement, Judgement::TooLarge);
        if !is_too_large && !matches!(judgement, Judgement::Doubtful(_) | Judgement::Faulted(_)) {
            return None;
        }
        self.witness.take().map(|_| Ending::Parted { is_too_large })
    }
}
