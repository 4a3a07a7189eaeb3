//! Witnesses: whether they may be asked, and those that are asked in requests of their own.

use std::sync::Arc;

use super::Witness;
use crate::bulk::aimd::Signal;
use crate::bulk::doubt::Cause;
use crate::bulk::limiter::Health;
use crate::bulk::outcome::{BulkFailure, Judgement, Trouble, judge_sent};
use crate::bulk::{Bulk, look_up};

impl Bulk {
    /// Returns a document that `index` has accepted before, if its word counts for `cause` and it can be sent again
    /// without being written: one that was deleted meanwhile would be. Those of a data stream never are.
    ///
    /// # Errors
    /// When there is no answer to whether it is there.
    pub(super) async fn witness(&self, index: &Arc<str>, cause: &Cause) -> Result<Option<Witness>, BulkFailure> {
        let kept = if cause.needs_writing() { None } else { self.undecided.witnesses().get(index) };
        let witness = match kept {
            Some(witness) if self.stream_dedup.is_none() => witness,
            kept => return Ok(kept),
        };
        match look_up::ask_one(&self.client, index, &[&witness.id]).await {
            Ok(found) if found == [true] => return Ok(Some(witness)),
            Err(failure) if matches!(failure.trouble, Trouble::Connection | Trouble::TimedOut) => return Err(failure),
            // It is gone, or may not be read.
            Ok(_) | Err(_) => {}
        }
        self.undecided.witnesses().drop_of(index);
        self.undecided.doubts().set_witness(index, false);
        Ok(None)
    }

    /// Sends the witness of `index`, if there is one, in a request of its own.
    pub(in crate::bulk) async fn ask_witness(&self, index: &Arc<str>, cause: &Cause) {
        if self.undecided.witnesses().get(index).is_none() {
            return;
        }
        let permit = self.limiter.acquire_beside().await;
        let (bytes, health) = match self.witness(index, cause).await {
            Ok(None) => (0, Health::Unclear),
            Ok(Some(witness)) => (witness.lines.len(), self.ask(index, witness).await),
            Err(failure) => (0, Health::Failed(failure)),
        };
        permit.report(bytes, Signal::Nothing, health);
    }

    async fn ask(&self, index: &Arc<str>, witness: Witness) -> Health {
        let path = match &self.stream_dedup {
            // The backing index that the stream writes to: its pipeline, its mapping, its state.
            Some(_) => format!("/{}/_bulk", self.reroute.index_cache.fresh().await.write().name),
            None => format!("/{index}/_bulk"),
        };
        let is_accepted = match judge_sent(self.post(&path, witness.lines).await, 1) {
            Judgement::Items(mut fates) => self.undecided.hear(index, fates.remove(0)),
            Judgement::Retry(failure) => return Health::Failed(failure),
            _ => false,
        };
        // If not, perhaps only this is not allowed: the document has the word.
        if is_accepted { Health::Well } else { Health::Unclear }
    }
}
