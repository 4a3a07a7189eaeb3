//! Finds out whether an index stores documents as they are sent. Asks only if a stored document differs, and caches
//! the answer for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;

use crate::bulk::outcome::{BulkFailure, Obstacle};
use crate::elasticsearch::errors::is_own_error;
use crate::elasticsearch::{Client, Method, Request, ServerAnswer};

/// The purpose of the request, for messages.
const DOING: &str = "reading the settings";
/// How long an answer is cached.
const FRESH: Duration = Duration::from_secs(60);
/// How many indices are cached. When the cache is full, it is cleared.
const MAX_INDICES: usize = 256;

const FILTER_PATH: &str = "*.settings.index.default_pipeline,*.settings.index.final_pipeline,*.settings.index.mode,\
    *.settings.index.mapping.source.mode,*.settings.index.derived_source.enabled,*.mappings._source";

/// What an index does to documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handling {
    /// Stores them as they are sent.
    Verbatim,
    /// May change them by an ingest pipeline, or because `_source` is filtered, synthetic or (OpenSearch) derived.
    Changed,
}

/// Caches what indices do to documents.
#[derive(Debug, Default)]
pub(super) struct Handlings(Mutex<HashMap<Arc<str>, (Instant, Handling)>>);

impl Handlings {
    /// Returns what `index` does to documents, or [`Handling::Changed`] if the indexer may not read its settings.
    ///
    /// # Errors
    /// If there is no answer for now.
    pub(super) async fn of(&self, client: &Client, index: &Arc<str>) -> Result<Handling, Obstacle> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(index).copied();
        if let Some((asked, handling)) = known
            && asked.elapsed() < FRESH
        {
            return Ok(handling);
        }
        let handling = ask(client, index).await?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_INDICES {
            known.clear();
        }
        known.insert(Arc::clone(index), (Instant::now(), handling));
        Ok(handling)
    }
}

async fn ask(client: &Client, index: &str) -> Result<Handling, Obstacle> {
    let request = Request {
        method: Method::Get,
        path: &format!("/{index}"),
        query: &[("filter_path", FILTER_PATH)],
        content_type: "application/json",
        body: Bytes::new(),
    };
    judge(index, &client.send(&request).await.map_err(BulkFailure::from)?)
}

/// Interprets the `answer` about `index`. Only a refusal by Elasticsearch itself means that the settings may not be
/// read. After a transient failure a guess could merge two events into one.
fn judge(index: &str, answer: &ServerAnswer) -> Result<Handling, Obstacle> {
    match answer.status {
        200 => read(&answer.body).ok_or_else(|| Obstacle::unreadable(DOING, index, &answer.beginning())),
        400 | 403 | 404 if is_own_error(&answer.body) => Ok(Handling::Changed),
        _ => Err(Obstacle::of_answer(DOING, index, answer)),
    }
}

/// Returns what the settings and mappings in `body` do to documents, or `None` if `body` is not such an answer.
fn read(body: &[u8]) -> Option<Handling> {
    let Ok(Value::Object(indices)) = serde_json::from_slice(body) else { return None };
    let is_changed = |index: &Value| {
        let settings = &index["settings"]["index"];
        let pipelines = [&settings["default_pipeline"], &settings["final_pipeline"]];
        let modes = [(&settings["mode"], "standard"), (&settings["mapping"]["source"]["mode"], "stored")];
        let derived = &settings["derived_source"]["enabled"];
        let source = &index["mappings"]["_source"];
        pipelines.iter().any(|name| name.as_str().is_some_and(|name| name != "_none"))
            || modes.iter().any(|(mode, usual)| mode.as_str().is_some_and(|mode| mode != *usual))
            || derived == true
            || derived == "true"
            || source
                .as_object()
                .is_some_and(|source| source.iter().any(|(key, value)| key != "enabled" || value != true))
    };
    Some(if indices.values().any(is_changed) { Handling::Changed } else { Handling::Verbatim })
}

#[cfg(test)]
mod tests;
