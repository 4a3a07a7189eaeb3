//! Sends witnesses again, beside a refused document or in requests of their own, as a control.

use std::sync::Arc;

use super::{UndecidedDocuments, Witness, shards};
use crate::backing::BackingIndexCache;
use crate::bulk::aimd::Signal;
use crate::bulk::delivered::SetAside;
use crate::bulk::doubt::Cause;
use crate::bulk::limiter::{Health, Limiter};
use crate::bulk::look_up;
use crate::bulk::outcome::{BulkFailure, Judgement, Obstacle, Trouble, judge_sent};
use crate::bulk::post::Post;
use crate::elasticsearch::Client;

/// Sends witnesses again.
#[derive(Debug)]
pub(in crate::bulk) struct Control {
    client: Arc<Client>,
    post: Arc<Post>,
    limiter: Arc<Limiter>,
    undecided: Arc<UndecidedDocuments>,
    /// The backing indices of a data stream; `None` for other indices.
    stream: Option<Arc<BackingIndexCache>>,
}

impl Control {
    /// Creates the control for the `undecided` documents. `stream` holds the backing indices of a data stream.
    pub(in crate::bulk) fn new(
        client: &Arc<Client>,
        post: &Arc<Post>,
        limiter: &Arc<Limiter>,
        undecided: &Arc<UndecidedDocuments>,
        stream: Option<Arc<BackingIndexCache>>,
    ) -> Self {
        Self {
            client: Arc::clone(client),
            post: Arc::clone(post),
            limiter: Arc::clone(limiter),
            undecided: Arc::clone(undecided),
            stream,
        }
    }

    /// Returns the witness to send together with a document that `index` refuses for `cause`. If they cannot be sent
    /// together, sends the witness in a request of its own and returns `None`.
    pub(in crate::bulk) async fn beside(&self, index: &Arc<str>, cause: &Cause) -> Option<Witness> {
        // Nothing is to be proven.
        if cause.is_transient() {
            return None;
        }
        if self.stream.is_some() || cause.is_whole() {
            self.ask_witness(index, cause).await;
            return None;
        }
        self.witness(index, cause).await.unwrap_or_default()
    }

    /// Sends the witness of `index`, if there is one, in a request of its own.
    pub(in crate::bulk) async fn ask_witness(&self, index: &Arc<str>, cause: &Cause) {
        if self.undecided.evidence.witness(index).is_none() {
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

    /// Returns whether a full shard may have refused the document of `set_aside`. In that case the other shards
    /// accept documents meanwhile.
    pub(in crate::bulk) async fn may_be_full(&self, set_aside: &SetAside) -> bool {
        Cause::of(&set_aside.refusal).needs_writing() && shards::is_one_full(&self.client, &set_aside.index).await
    }

    /// Returns the witness of `index` if it is evidence for `cause` and sending it writes nothing. A witness that has
    /// been deleted would be written. The witness of a data stream is never written.
    ///
    /// # Errors
    /// If Elasticsearch does not say whether the witness exists.
    async fn witness(&self, index: &Arc<str>, cause: &Cause) -> Result<Option<Witness>, BulkFailure> {
        let kept = if cause.needs_writing() { None } else { self.undecided.evidence.witness(index) };
        let witness = match kept {
            Some(witness) if self.stream.is_none() => witness,
            kept => return Ok(kept),
        };
        match look_up::ask_one(&self.client, index, &[&witness.id]).await {
            Ok(found) if found == [true] => return Ok(Some(witness)),
            Err(Obstacle::Failed(failure)) if matches!(failure.trouble, Trouble::Connection | Trouble::TimedOut) => {
                return Err(failure);
            }
            // The witness is gone, or may not be read.
            Ok(_) | Err(_) => {}
        }
        self.undecided.evidence.drop_witness(index);
        Ok(None)
    }

    async fn ask(&self, index: &Arc<str>, witness: Witness) -> Health {
        let path = match &self.stream {
            // The witness goes to the stream's write index, so that pipeline, mapping and state are the current ones.
            Some(index_cache) => format!("/{}/_bulk", index_cache.fresh().await.write().name),
            None => format!("/{index}/_bulk"),
        };
        let is_accepted = match judge_sent(self.post.send(&path, witness.lines).await, 1) {
            Judgement::Items(mut fates) => self.undecided.evidence.hear(index, &fates.remove(0)),
            Judgement::Retry(failure) => return Health::Failed(failure),
            _ => false,
        };
        // A refused witness is unclear, because perhaps only this request is not allowed. The document itself
        // decides.
        if is_accepted { Health::Well } else { Health::Unclear }
    }
}
