//! Reads the status of one receiver or indexer from its admin port.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use service::http::Web;
use service::readiness::Standing;
use service::status::document::Document;

use crate::commands::plain::plain;

/// How long an admin port may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most warnings and errors that are shown per service.
const MAX_ERRORS: usize = 3;

/// One service.
#[derive(Debug, Serialize)]
pub struct Service {
    /// The address of its admin port.
    pub url: String,
    /// Its status, or `None` if it does not answer.
    #[serde(flatten)]
    pub document: Option<Document>,
    /// Why it does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Creates a client for admin ports.
///
/// # Errors
/// A text that says why the client cannot be created.
pub(super) fn web() -> Result<Web, String> {
    Web::new(TIMEOUT)
}

/// Requests the status of the service at `url` with `web`.
pub(super) async fn ask(web: &Web, url: &str) -> Service {
    let url = url.trim_end_matches('/').trim_end_matches("/metrics").to_owned();
    match document(web, &url).await {
        Ok(document) => Service { url, document: Some(document), error: None },
        Err(error) => Service { url, document: None, error: Some(error) },
    }
}

async fn document(web: &Web, url: &str) -> Result<Document, String> {
    match web.get(&format!("{url}/status.json")).await? {
        (200, text) => {
            serde_json::from_str(&text).map_err(|error| format!("/status.json is of another version: {error}"))
        }
        (status, _) => Err(format!("/status.json was answered {status}: check the address and the version")),
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = plain(&self.url);
        let Some(document) = &self.document else {
            return write!(f, "{url}: no answer\n  {}", plain(self.error.as_deref().unwrap_or_default()));
        };
        let ready = if document.ready { "ready" } else { "NOT READY" };
        write!(f, "{} {url}: {ready}", plain(&document.service))?;
        for figure in document.figures.iter().filter(|figure| figure.value.is_some()) {
            write!(f, ", {} {figure}", plain(&figure.label))?;
        }
        for condition in document.conditions.iter().filter(|condition| condition.state != Standing::Met) {
            write!(f, "\n  {} for {}: {}", plain(&condition.name), condition.lasts(), plain(&condition.text))?;
        }
        for (name, cells) in &document.parts {
            let cells: Vec<String> = cells.iter().map(|(column, cell)| format!("{column} {cell}")).collect();
            write!(f, "\n  {}: {}", plain(name), plain(&cells.join(", ")))?;
        }
        for line in document.errors.iter().take(MAX_ERRORS) {
            write!(f, "\n  {} {} ({}x) {}", plain(&line.at), plain(&line.level), line.times, plain(&line.text))?;
        }
        Ok(())
    }
}
