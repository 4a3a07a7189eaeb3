//! Waits for the master's pending tasks, so that a list of backing indices that is read afterwards holds each index
//! with an earlier creation date.
//!
//! An index gets its creation date when the master begins to create it. The cluster knows it once the master has
//! published it to all nodes, which may take seconds on a busy cluster. The master runs its tasks one after the other,
//! so an empty task that is queued now is answered after the index is known (Elasticsearch reference, "Cluster health",
//! `wait_for_events`).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::list::ReadError;
use crate::elasticsearch::errors::is_own_error;
use crate::elasticsearch::{Client, Method, Request};

/// `immediate`: before all else that waits for the master. The time-out is Elasticsearch's own, and answered 408.
const QUERY: [(&str, &str); 3] = [("wait_for_events", "immediate"), ("timeout", "10s"), ("filter_path", "timed_out")];

/// How long the question is left out after Elasticsearch has refused it.
const PAUSE: Duration = Duration::from_secs(60);

/// When the question was last refused: Elasticsearch Serverless has none, and the role may lack the privilege
/// `monitor`.
#[derive(Debug, Default)]
pub(super) struct Barrier {
    refused: Mutex<Option<Instant>>,
}

impl Barrier {
    /// Comes back when the master is done with what it was at. Where it cannot be asked, at once; then half a margin
    /// has to be enough for a new index to become known. It is asked again after a minute: a role, or what is before
    /// Elasticsearch, may be changed.
    ///
    /// # Errors
    /// When there is no answer, or the master is not done in time.
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
                "The indexer may not wait for Elasticsearch's master (GET _cluster/health?wait_for_events, privilege \
                 monitor): documents are placed correctly as long as a new backing index becomes visible within half \
                 of elasticsearch.placement.margin."
            );
        }
    }
}
