//! One bulk request: what goes into it, where it goes, and how it is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use super::body;
use super::limiter::RequestBudget;
use super::outcome::{FILTER_PATH, FILTER_PATH_OF_INDEX};
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
    /// How long Elasticsearch may work on a request: less than the time-out, so that none is sent again meanwhile.
    timeout: String,
    /// Whether a request that names several indices was refused, so that each has its own.
    is_by_path: AtomicBool,
    filter_path: &'static str,
    metrics: BulkMetrics,
}

impl Post {
    /// Returns one that sends by `client`.
    pub(super) fn new(config: &Config, client: &Arc<Client>, metrics: &BulkMetrics) -> Self {
        Self {
            client: Arc::clone(client),
            timeout: elasticsearch::timeout(config.elasticsearch.request_timeout),
            is_by_path: AtomicBool::new(false),
            filter_path: filter_path(config.elasticsearch.on_duplicate),
            metrics: metrics.clone(),
        }
    }

    /// Has each request name one index from now on: one that names several was refused.
    pub(super) fn go_by_path(&self) {
        self.is_by_path.store(true, Ordering::Relaxed);
    }

    /// Returns how much the next request of `work` may hold, which has `budget`.
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
            query: &[("filter_path", self.filter_path), ("timeout", &self.timeout)],
            content_type: "application/x-ndjson",
            body,
        };
        let _timer = self.metrics.duration.start_timer();
        self.client.send(&request).await
    }
}

/// Returns the parts of an answer that are read.
fn filter_path(on_duplicate: OnDuplicate) -> &'static str {
    match on_duplicate {
        OnDuplicate::KeepFirst => FILTER_PATH,
        OnDuplicate::KeepLast => FILTER_PATH_OF_INDEX,
    }
}

/// Returns path and body of the request for `chunk`, after `witness`. Where all go to one index, the path names it and
/// the action lines none.
pub(super) fn address(work: &Work<'_>, batch: &Batch, chunk: &[usize], witness: Option<&Witness>) -> (String, Bytes) {
    let destinations = &work.destinations;
    let Some(index) = destinations.of_all(chunk) else {
        // What the action lines do not name.
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
