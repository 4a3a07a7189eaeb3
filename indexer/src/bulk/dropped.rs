//! Documents that an ingest pipeline of their index drops (`drop`): settled, since its operator wants them dropped, and
//! counted and logged, since nobody finds them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;

use super::progress::Progress;
use crate::config::Config;
use crate::elasticsearch::{Client, Method, Request};

/// The dropped documents of this time are one line in the log.
const LOG_INTERVAL: Duration = Duration::from_secs(60);
const FILTER_PATH: &str = "*.settings.index.default_pipeline,*.settings.index.final_pipeline";

/// Reports the dropped documents of one topic.
#[derive(Debug)]
pub(super) struct DroppedReport {
    client: Arc<Client>,
    topic: String,
    logged: Mutex<Logged>,
}

/// When documents were last logged, and how many there were since.
#[derive(Debug, Default)]
struct Logged {
    at: Option<Instant>,
    since: usize,
}

impl DroppedReport {
    /// Returns that of the topic of `config`, of which nothing was logged yet.
    pub(super) fn new(config: &Config, client: &Arc<Client>) -> Self {
        let topic = config.kafka.topic.clone();
        Self { client: Arc::clone(client), topic, logged: Mutex::default() }
    }

    /// Logs what was dropped of a request, unless there was a line a moment ago.
    pub(super) async fn report(&self, progress: &Progress) {
        let Some(index) = &progress.dropped_by else { return };
        let Some(documents) = self.may_log(progress.counts.dropped) else { return };
        let pipelines = self.pipelines(index).await;
        tracing::warn!(
            topic = self.topic,
            documents,
            %index,
            pipelines,
            "An ingest pipeline of the index drops documents: they are not stored, and count as dropped. See \"Dropped \
             documents\" in docs/refusals.md. This is logged at most once a minute."
        );
    }

    /// Returns whether another line may go into the log, and of how many documents it speaks.
    fn may_log(&self, documents: usize) -> Option<usize> {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        logged.since += documents;
        if logged.at.is_some_and(|at| at.elapsed() < LOG_INTERVAL) {
            return None;
        }
        logged.at = Some(Instant::now());
        Some(std::mem::take(&mut logged.since))
    }

    /// Returns the names of the pipelines of `index`, as far as its settings tell them.
    async fn pipelines(&self, index: &str) -> String {
        let request = Request {
            method: Method::Get,
            path: &format!("/{index}/_settings"),
            query: &[("filter_path", FILTER_PATH)],
            content_type: "application/json",
            body: Bytes::new(),
        };
        let answer = self.client.send(&request).await.unwrap_or_default();
        let settings: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let mut names: Vec<&str> = Vec::new();
        for index in settings.as_object().into_iter().flat_map(|indices| indices.values()) {
            let of = |key: &str| index["settings"]["index"][key].as_str();
            names.extend(["default_pipeline", "final_pipeline"].iter().filter_map(|key| of(key)));
        }
        names.retain(|name| *name != "_none");
        names.dedup();
        if names.is_empty() { "unknown".to_owned() } else { names.join(", ") }
    }
}

#[cfg(test)]
mod tests;
