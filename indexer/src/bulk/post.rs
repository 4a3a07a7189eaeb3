//! Sends one bulk request: what it holds, where it goes, and how it is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::body;
use super::limiter::RequestBudget;
use super::outcome::{FILTER_PATH, RESULT};
use super::set_aside::Witness;
use super::work::Work;
use crate::batch::Batch;
use crate::config::{Config, OnDuplicate};
use crate::elasticsearch::{self, Client, Method, Request, SendError, ServerAnswer};
use crate::metrics::BulkMetrics;

/// Sends bulk requests.
#[derive(Debug)]
pub(super) struct Post {
    client: Arc<Client>,
    /// How long Elasticsearch may work on a request. Shorter than the client's time-out, so that no request is sent
    /// again while it is still being processed.
    timeout: String,
    /// Whether a request that names several indices was refused. If so, each request is for one index.
    is_by_path: AtomicBool,
    /// The parts of an answer that are read.
    filter_path: String,
    /// Room for requests, which all index sets of the topic share; `None` if there is only one.
    slots: Option<Arc<Semaphore>>,
    metrics: BulkMetrics,
}

impl Post {
    /// Creates a sender that uses `client`.
    pub(super) fn new(config: &Config, client: &Arc<Client>, metrics: &BulkMetrics) -> Self {
        Self {
            client: Arc::clone(client),
            timeout: elasticsearch::timeout(config.elasticsearch.request_timeout),
            is_by_path: AtomicBool::new(false),
            filter_path: filter_path(config.elasticsearch.on_duplicate),
            slots: None,
            metrics: metrics.clone(),
        }
    }

    /// Returns the sender with `slots` as a limit of the requests in flight.
    pub(super) fn within(self, slots: Option<Arc<Semaphore>>) -> Self {
        Self { slots, ..self }
    }

    /// Limits each request to one index from now on, because one that named several was refused.
    pub(super) fn go_by_path(&self) {
        self.is_by_path.store(true, Ordering::Relaxed);
    }

    /// Returns how much of `budget` the next request of `work` may use.
    pub(super) fn fit(&self, work: &mut Work<'_>, budget: RequestBudget) -> RequestBudget {
        if !self.is_by_path.load(Ordering::Relaxed) {
            return budget;
        }
        RequestBudget { items: budget.items.min(work.gather()), ..budget }
    }

    /// Sends a bulk request.
    pub(super) async fn send(&self, path: &str, body: Bytes) -> Result<ServerAnswer, SendError> {
        let request = Request {
            method: Method::Post,
            path,
            query: &[("filter_path", &self.filter_path), ("timeout", &self.timeout)],
            content_type: "application/x-ndjson",
            body,
        };
        // Never closed, so this does not fail.
        let _slot = match &self.slots {
            Some(slots) => slots.acquire().await.ok(),
            None => None,
        };
        let _timer = self.metrics.duration.start_timer();
        self.client.send(&request).await
    }
}

/// Returns the parts of an answer that are read.
fn filter_path(on_duplicate: OnDuplicate) -> String {
    match on_duplicate {
        OnDuplicate::KeepFirst => FILTER_PATH.to_owned(),
        OnDuplicate::KeepLast => format!("{FILTER_PATH},{RESULT}"),
    }
}

/// Returns the path and body of the request for `chunk`, after `witness`. If all items go to one index, the path
/// names it and the action lines do not.
pub(super) fn address(work: &Work<'_>, batch: &Batch, chunk: &[usize], witness: Option<&Witness>) -> (String, Bytes) {
    let destinations = &work.destinations;
    let Some(index) = destinations.of_all(chunk) else {
        // The default for action lines that name no index.
        let first = destinations.of_first();
        return (format!("/{first}/_bulk"), body::select(batch, chunk, destinations.moved()));
    };
    let body = body::select_unnamed(batch, chunk);
    let body = match witness {
        Some(witness) => [witness.lines.clone(), body].concat().into(),
        None => body,
    };
    (format!("/{index}/_bulk"), body)
}

#[cfg(test)]
mod tests;
