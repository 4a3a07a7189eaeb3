//! Counts and logs documents that an ingest pipeline of their index drops (`drop`). They are settled, because the
//! pipeline's operator wants them dropped.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use serde_json::Value;
use service::budget::MinuteLog;

use super::progress::Progress;
use crate::config::Config;
use crate::elasticsearch::{Client, Method, Request};

const FILTER_PATH: &str = "*.settings.index.default_pipeline,*.settings.index.final_pipeline";

/// Reports the dropped documents of one topic.
#[derive(Debug)]
pub(super) struct DroppedReport {
    client: Arc<Client>,
    topic: String,
    lines: MinuteLog,
}

impl DroppedReport {
    /// Creates the report for the topic of `config`.
    pub(super) fn new(config: &Config, client: &Arc<Client>) -> Self {
        let topic = config.kafka.topic.clone();
        Self { client: Arc::clone(client), topic, lines: MinuteLog::default() }
    }

    /// Logs the documents of a request that were dropped, unless there was a line within the last minute.
    pub(super) async fn report(&self, progress: &Progress) {
        let Some(index) = &progress.dropped_by else { return };
        let Some(documents) = self.lines.take(progress.counts.dropped as u64, Instant::now()) else { return };
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

    /// Returns the names of the pipelines of `index`, as far as its settings name them.
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
