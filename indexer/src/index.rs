//! The index that documents are written to: made at start if it is missing, and again when it disappears.
//!
//! Any number of indexers may do so at the same time. What is made, by strategy, is in `resources`; [`mapping`] says what its fields are.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use shared::admin::Condition;
use shared::config::Strategy;
use tokio::sync::Mutex;

use crate::bulk::BulkError;
use crate::bulk::backoff::Backoff;
use crate::bulk::elasticsearch::{Answer, Client, Method, Request, SendError};

pub use settings::IndexSettings;

pub mod mapping;
mod resources;
mod settings;

/// The longest wait between attempts, so that an Elasticsearch that has come back is noticed soon.
const MAX_WAIT: std::time::Duration = std::time::Duration::from_secs(3);
/// The longest name of an index, in bytes (Elasticsearch reference, "Create index API").
const MAX_NAME: usize = 255;

/// The index of one topic, whatever its strategy.
#[derive(Debug)]
pub struct Index {
    client: Arc<Client>,
    settings: IndexSettings,
    backoff: Backoff,
    condition: Condition,
    /// One at a time: when the index is gone, every batch under way finds out at once.
    turn: Mutex<()>,
}

/// What is known of the index before it is made sure of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    Nothing,
    /// It is missing: a bulk request was answered so.
    Missing,
}

/// Why the index is not there.
#[derive(Debug, thiserror::Error)]
enum EnsureError {
    #[error("{0}")]
    Send(#[from] SendError),
    #[error("{what} was answered {status} {error_type}: {reason}")]
    Refused { what: &'static str, status: u16, error_type: String, reason: String },
    #[error(
        "{name} is an index or a data stream, and the strategy {strategy:?} needs an alias of this name: choose another elasticsearch.index_name"
    )]
    Occupied { name: String, strategy: Strategy },
}

impl EnsureError {
    fn has_type(&self, name: &str) -> bool {
        match self {
            Self::Refused { error_type, .. } => error_type == name,
            Self::Send(_) | Self::Occupied { .. } => false,
        }
    }

    /// Whether it is for want of a privilege.
    fn is_denied(&self) -> bool {
        matches!(self, Self::Refused { status: 403, .. }) && self.has_type("security_exception")
    }
}

impl Index {
    /// The index of `settings`. `condition` is met while it is there.
    pub fn new(client: Arc<Client>, settings: IndexSettings, backoff: Backoff, condition: Condition) -> Self {
        let backoff = Backoff { max: backoff.max.min(MAX_WAIT), ..backoff };
        Self { client, settings, backoff, condition, turn: Mutex::new(()) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Makes the index if it is missing; tries until Elasticsearch answers. An index that exists is left as it is.
    pub async fn ensure(&self, known: Known) {
        let _turn = self.turn.lock().await;
        let mut failures = 0;
        while let Err(error) = self.try_ensure(known).await {
            failures += 1;
            let reason = format!("index {:?} is not there yet: {error}", self.name());
            // The first, then with every doubling.
            if u32::is_power_of_two(failures) {
                tracing::warn!(index = self.name(), %error, attempts = failures, "The index could not be made sure of; it is tried again.");
            }
            self.condition.unmet(reason);
            let wait = self.backoff.wait(failures, &mut rand::rng());
            tokio::time::sleep(wait).await;
        }
        self.condition.met();
    }

    async fn try_ensure(&self, known: Known) -> Result<(), EnsureError> {
        if self.is_there().await? {
            return Ok(());
        }
        self.put_template().await?;
        match self.create().await {
            // Whoever may only write may make no index either, and it is probably there.
            Err(error) if known == Known::Nothing && error.is_denied() => {
                tracing::warn!(index = self.name(), %error, "Neither asking for the index nor making it is allowed; if it is missing, make it by hand.");
                Ok(())
            }
            made => made,
        }
    }

    /// Whether the index, the alias or the data stream is there. Whoever may only write may not ask: what bulk requests are answered
    /// will tell.
    async fn is_there(&self) -> Result<bool, EnsureError> {
        let name = self.name();
        if matches!(self.settings.strategy, Strategy::Rollover | Strategy::Time) {
            let alias = self.send(Method::Head, &format!("/_alias/{name}"), Bytes::new()).await?;
            if alias.status == 200 {
                return Ok(true);
            }
        }
        let answer = self.send(Method::Head, &format!("/{name}"), Bytes::new()).await?;
        match (answer.status, self.settings.strategy) {
            (200, Strategy::Single | Strategy::DataStream) => Ok(true),
            (200, strategy) => Err(EnsureError::Occupied { name: name.to_owned(), strategy }),
            (403 | 404, _) => Ok(false),
            _ => Err(refused("asking for the index", &answer)),
        }
    }

    /// The template of the index's names, so that an index gets its mapping also when Elasticsearch makes it by itself: at a rollover, or
    /// because somebody deletes it while documents are on their way. One that exists is left as it is.
    async fn put_template(&self) -> Result<(), EnsureError> {
        let path = format!("/_index_template/penstock-{}?create=true", self.name());
        let template = resources::index_template(&self.settings);
        let answer = self.send(Method::Put, &path, Bytes::from(template.to_string())).await?;
        if answer.status == 200 {
            tracing::info!(index = self.name(), "Made the index template.");
            return Ok(());
        }
        let error = refused("making the index template", &answer);
        // 400: there is one already, or another one for the same name. The index gets its mapping all the same.
        if answer.status == 400 || error.is_denied() {
            tracing::debug!(index = self.name(), %error, "The index template was not made.");
            return Ok(());
        }
        Err(error)
    }

    /// Makes what the first document needs.
    async fn create(&self) -> Result<(), EnsureError> {
        let Some(first) = resources::first(&self.settings) else { return Ok(()) };
        let answer = self.send(Method::Put, &first.path, Bytes::from(first.body.to_string())).await?;
        if answer.status == 200 {
            tracing::info!(index = self.name(), path = first.path, "Made the index.");
            return Ok(());
        }
        let error = refused("making the index", &answer);
        if error.has_type("resource_already_exists_exception") {
            return Ok(());
        }
        Err(error)
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Answer, SendError> {
        let request = Request { method, path, query: &[], content_type: "application/json", body };
        self.client.send(&request).await
    }
}

fn refused(what: &'static str, answer: &Answer) -> EnsureError {
    #[derive(Default, Deserialize)]
    struct Failure {
        error: ErrorBody,
    }
    #[derive(Default, Deserialize)]
    struct ErrorBody {
        #[serde(rename = "type")]
        error_type: String,
        #[serde(default)]
        reason: String,
    }
    let Failure { error } = serde_json::from_slice(&answer.body).unwrap_or_default();
    EnsureError::Refused { what, status: answer.status, error_type: error.error_type, reason: error.reason }
}

/// `name` if it can be the name of an index (Elasticsearch reference, "Create index API").
///
/// # Errors
/// [`BulkError::IndexName`].
pub fn check_name(name: &str) -> Result<&str, BulkError> {
    let wrong = |reason| Err(BulkError::IndexName { name: name.to_owned(), reason });
    if name.is_empty() || name.len() > MAX_NAME {
        return wrong("it needs 1 to 255 bytes");
    }
    if name != name.to_lowercase() {
        return wrong("it has to be in lower case");
    }
    if name.starts_with(['-', '_', '+']) || name == "." || name == ".." {
        return wrong("it must not begin with '-', '_' or '+', nor be '.' or '..'");
    }
    if name.contains(['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ',', '#', ':', '%']) {
        return wrong("none of \\ / * ? \" < > | , # : % and space may be in it");
    }
    Ok(name)
}

#[cfg(test)]
mod tests;
