//! One bulk request: what goes into it, where it goes, and whether it was refused as a whole for the index that it
//! names.

use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::limiter::{Permit, RequestBudget};
use super::outcome::{FILTER_PATH, Judgement};
use super::set_aside::Witness;
use super::work::Work;
use super::{Bulk, body};
use crate::batch::Batch;
use crate::elasticsearch::{Method, Request, SendError, ServerAnswer};

impl Bulk {
    /// Returns how much the next request may hold.
    pub(super) fn budget(&self, work: &mut Work<'_>, permit: &Permit<'_>) -> RequestBudget {
        let budget = permit.budget();
        if !self.is_by_path.load(Ordering::Relaxed) {
            return budget;
        }
        RequestBudget { items: budget.items.min(work.gather()), ..budget }
    }

    /// Sends a bulk request.
    pub(super) async fn post(&self, path: &str, body: Bytes) -> Result<ServerAnswer, SendError> {
        let request = Request {
            method: Method::Post,
            path,
            query: &[("filter_path", FILTER_PATH), ("timeout", &self.timeout)],
            content_type: "application/x-ndjson",
            body,
        };
        let _timer = self.metrics.bulk.duration.start_timer();
        self.client.send(&request).await
    }

    /// Returns what a doubtful answer to a whole request means, where it is known that its index refuses all of them;
    /// and from now on a request for each index, if this one named several.
    pub(super) fn doubt_whole(&self, work: &Work<'_>, chunk: &[usize], judgement: Judgement) -> Judgement {
        let Judgement::Doubtful(refusal) = &judgement else { return judgement };
        let Some(index) = work.index_of_all(chunk) else {
            self.is_by_path.store(true, Ordering::Relaxed);
            return judgement;
        };
        match self.undecided.known_block(&index, refusal) {
            Some(block) if chunk.len() > 1 => Judgement::Blocked(block),
            _ => judgement,
        }
    }

    /// Waits before failed items are sent again; not while requests are held back, since then they wait at the limiter.
    pub(super) async fn wait(&self, failures: u32) {
        let wait = self.backoff.wait(failures, &mut rand::rng());
        let mut pause = self.limiter.pause();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = pause.wait_for(Option::is_some) => {}
        }
    }
}

/// Path and body of the request for `chunk`, after `witness`. Where all go to one index, the path names it and the
/// action lines none.
pub(super) fn address(work: &Work<'_>, batch: &Batch, chunk: &[usize], witness: Option<&Witness>) -> (String, Bytes) {
    let Some(index) = work.index_of_all(chunk) else {
        // What the action lines do not name.
        let first = work.index_of_first();
        return (format!("/{first}/_bulk"), body::select(batch, chunk, work.moved()));
    };
    let body = body::select_unnamed(batch, chunk);
    let body = match witness {
        Some(witness) => [witness.lines.clone(), body].concat().into(),
        None => body,
    };
    (format!("/{index}/_bulk"), body)
}
