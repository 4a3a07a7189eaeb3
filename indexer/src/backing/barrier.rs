//! Waits for the master's pending tasks, so that a list of backing indices that is read afterwards contains every
//! index with an earlier creation date.
//!
//! An index gets its creation date when the master begins to create it. The cluster knows the index once the master
//! has published it to all nodes, which may take seconds on a busy cluster. The master runs its tasks one after the
//! other, so an empty task that is queued now completes after the index is known (Elasticsearch reference, "Cluster
//! health", `wait_for_events`).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::list::ReadError;
use crate::elasticsearch::errors::is_own_error;
use crate::elasticsearch::{Client, Method, Request};

/// `immediate` puts the task before all others that wait for the master. After its own time-out the server answers 408.
/// The body says so too (`timed_out`), because a version may answer 200.
const QUERY: [(&str, &str); 3] = [("wait_for_events", "immediate"), ("timeout", "10s"), ("filter_path", "timed_out")];

/// How long the request is skipped after Elasticsearch has refused it.
const PAUSE: Duration = Duration::from_secs(60);

/// When the request was last refused: Elasticsearch Serverless does not have it, and the role may lack the privilege
/// `monitor`.
#[derive(Debug, Default)]
pub(super) struct Barrier {
    refused: Mutex<Option<Instant>>,
}

impl Barrier {
    /// Returns when the master has finished its pending tasks. If it may not be asked, returns immediately; half a
    /// margin must then be enough for a new index to become known. The request is tried again after a minute, because a
    /// role or a proxy may have changed.
    ///
    /// # Errors
    /// If there is no answer, or the master does not finish in time.
    pub(super) async fn pass(&self, client: &Client) -> Result<(), ReadError> {
        let refused = *self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.is_some_and(|refused| refused.elapsed() < PAUSE) {
            return Ok(());
        }
        let request = Request {
            method: Method::Get,
            path: "/_cluster/health",
            query: &QUERY,
            content_type: "application/json",
            body: Bytes::new(),
        };
        let answer = client.send(&request).await?;
        match answer.status {
            200 if has_timed_out(&answer.body) => Err(ReadError::refused(&answer)),
            200 => Ok(()),
            400 | 403 | 404 | 405 | 410 if is_own_error(&answer.body) => {
                self.note_refused(answer.status);
                Ok(())
            }
            _ => Err(ReadError::refused(&answer)),
        }
    }

    fn note_refused(&self, status: u16) {
        let before = self.refused.lock().unwrap_or_else(PoisonError::into_inner).replace(Instant::now());
        if before.is_none() {
            tracing::warn!(
                status,
                "The indexer is not allowed to wait for Elasticsearch's master (GET _cluster/health?wait_for_events, \
                 privilege monitor): documents are placed correctly as long as a new backing index becomes visible \
                 within half of elasticsearch.placement.margin."
            );
        }
    }
}

/// Returns whether the master has not finished in time, according to `body`.
fn has_timed_out(body: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|answer| answer["timed_out"] == true)
}
