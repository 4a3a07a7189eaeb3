//! Sends requests about indices, templates and policies, and interprets refusals. With `--dry-run` nothing is
//! changed, and the requests are kept for display.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::Value;

use crate::elasticsearch::errors::is_own_error;
use crate::elasticsearch::server::ServerError;
use crate::elasticsearch::{Client, Method, Request, SendError, ServerAnswer};

/// The error type for an answer that came from a proxy instead of the server.
const NOT_OWN: &str = "unreadable";
/// How many nested causes of a refusal are reported.
const MAX_CAUSES: usize = 8;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// There was no answer.
    #[error("{0}")]
    Send(#[from] SendError),
    /// Elasticsearch refused the request.
    #[error("{what} was answered {status} {error_type}: {reason}")]
    Refused {
        /// The request.
        what: String,
        /// The status.
        status: u16,
        /// Elasticsearch's `error.type`.
        error_type: String,
        /// Elasticsearch's `error.reason`, and the reasons of its causes.
        reason: String,
    },
    /// The server is unknown or unsupported.
    #[error("{0}")]
    Server(#[from] ServerError),
    /// The answer covers only a part of the documents.
    #[error("{0}")]
    Incomplete(String),
    /// The name is used by something else.
    #[error("{0}")]
    Occupied(String),
}

impl RequestError {
    /// Returns whether Elasticsearch refused the request with this `error.type`.
    pub(super) fn has_type(&self, name: &str) -> bool {
        matches!(self, Self::Refused { error_type, .. } if error_type == name)
    }

    /// Returns whether a privilege is missing.
    pub(super) fn is_denied(&self) -> bool {
        matches!(self, Self::Refused { status: 403, .. }) && self.has_type("security_exception")
    }

    /// Returns whether the request itself is at fault, so that it would be refused again.
    pub(super) fn is_bad_request(&self) -> bool {
        matches!(self, Self::Refused { status: 400, .. })
    }

    /// Returns whether the server lacks this endpoint. In that case the error is text instead of an object, or the
    /// status shows it.
    pub(super) fn is_no_endpoint(&self) -> bool {
        match self {
            Self::Refused { status: 404 | 405 | 410, .. } => true,
            Self::Refused { status: 400, error_type, .. } => error_type.is_empty(),
            Self::Refused { .. } | Self::Send(_) | Self::Server(_) | Self::Incomplete(_) | Self::Occupied(_) => false,
        }
    }

    /// Returns whether changes to the index are blocked.
    pub(super) fn is_block(&self) -> bool {
        self.has_type("cluster_block_exception")
    }
}

/// Sends requests. Cheap to clone; clones of a dry run keep their requests together.
#[derive(Clone, Debug)]
pub struct Requests {
    client: Arc<Client>,
    /// The requests that would be sent, with `--dry-run`.
    kept: Option<Arc<Mutex<Vec<String>>>>,
    /// Whether manual changes to policies and templates are overwritten, with `--force`.
    overwrites: bool,
}

impl Requests {
    /// Creates requests that are sent.
    pub fn new(client: Arc<Client>) -> Self {
        Self { client, kept: None, overwrites: false }
    }

    /// Creates requests that are kept instead of sent if they would change something.
    pub fn dry_run(client: Arc<Client>) -> Self {
        Self { client, kept: Some(Arc::default()), overwrites: false }
    }

    /// Sets whether manual changes to policies and templates are overwritten.
    #[must_use]
    pub fn overwriting(self, overwrites: bool) -> Self {
        Self { overwrites, ..self }
    }

    /// Returns the client that sends the requests.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.kept.is_some()
    }

    /// Returns whether manual changes to policies and templates are overwritten.
    pub(super) fn overwrites(&self) -> bool {
        self.overwrites
    }

    /// Returns the requests that would have been sent, in the format of Elasticsearch's console.
    pub(super) fn take_kept(&self) -> Vec<String> {
        let Some(kept) = &self.kept else { return Vec::new() };
        std::mem::take(&mut kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns whether `path` exists, or `None` if the role may not ask.
    pub(super) async fn exists(&self, path: &str) -> Result<Option<bool>, RequestError> {
        let answer = self.send(Method::Head, path, Bytes::new()).await?;
        match answer.status {
            200 => Ok(Some(true)),
            404 => Ok(Some(false)),
            403 => Ok(None),
            _ => Err(refused(format!("HEAD {path}"), &answer)),
        }
    }

    /// Returns whether an index, alias or data stream `name` exists.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn has(&self, name: &str) -> Result<bool, RequestError> {
        Ok(self.exists(&format!("/{name}")).await? == Some(true))
    }

    /// Returns what is at `path`, if it exists.
    pub(super) async fn get(&self, path: &str) -> Result<Option<Value>, RequestError> {
        let answer = self.send(Method::Get, path, Bytes::new()).await?;
        match answer.status {
            200 => own(format!("GET {path}"), &answer).map(Some),
            // A proxy's 404 does not show whether it exists.
            404 if is_own_error(&answer.body) => Ok(None),
            _ => Err(refused(format!("GET {path}"), &answer)),
        }
    }

    /// Returns what is at `path`, or null if it does not exist.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn look(&self, path: &str) -> Result<Value, RequestError> {
        Ok(self.get(path).await?.unwrap_or_default())
    }

    /// Puts `body` at `path`. If `body` is null, sends no body.
    pub(super) async fn put(&self, path: &str, body: &Value) -> Result<(), RequestError> {
        if let Some(kept) = &self.kept {
            let text = if body.is_null() { format!("PUT {path}") } else { format!("PUT {path}\n{body:#}") };
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(text);
            return Ok(());
        }
        let bytes = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let answer = self.send(Method::Put, path, bytes).await?;
        match answer.status {
            200..300 => own(format!("PUT {path}"), &answer).map(drop),
            _ => Err(refused(format!("PUT {path}"), &answer)),
        }
    }

    /// Posts `body` to `path`, even in a dry run. In a dry run, only requests that change nothing may be posted.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<(), RequestError> {
        let answer = self.send(Method::Post, path, Bytes::from(body.to_string())).await?;
        match answer.status {
            200 => own(format!("POST {path}"), &answer).map(drop),
            _ => Err(refused(format!("POST {path}"), &answer)),
        }
    }

    /// Posts the query `body` to `path`, without a body if it is null, and returns the answer. The request must not
    /// change anything.
    pub(super) async fn ask(&self, path: &str, body: &Value) -> Result<Value, RequestError> {
        let bytes = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let answer = self.send(Method::Post, path, bytes).await?;
        match answer.status {
            200 => own(format!("POST {path}"), &answer),
            _ => Err(refused(format!("POST {path}"), &answer)),
        }
    }

    /// Deletes what is at `path`, if it exists. A dry run only keeps the request.
    pub(super) async fn delete(&self, path: &str) -> Result<(), RequestError> {
        if let Some(kept) = &self.kept {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(format!("DELETE {path}"));
            return Ok(());
        }
        let answer = self.send(Method::Delete, path, Bytes::new()).await?;
        match answer.status {
            200 | 404 => Ok(()),
            _ => Err(refused(format!("DELETE {path}"), &answer)),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<ServerAnswer, SendError> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let request = Request { method, path, query: &query, content_type: "application/json", body };
        self.client.send(&request).await
    }
}

/// Ignores the refusal in `outcome` if the role may only write documents. Policy and templates of `index` are then
/// managed by others.
pub(super) fn allowed<T>(index: &str, outcome: Result<T, RequestError>) -> Result<Option<T>, RequestError> {
    match outcome {
        Err(error) if error.is_denied() => {
            tracing::debug!(index, %error, "The role may not create a policy or template.");
            Ok(None)
        }
        other => other.map(Some),
    }
}

/// Returns the body of a successful answer. A page from a proxy is an error, whatever its status. If it counted as
/// "nothing exists", existing content would be overwritten.
fn own(what: String, answer: &ServerAnswer) -> Result<Value, RequestError> {
    match serde_json::from_slice::<Value>(&answer.body) {
        Ok(body) if body["error"]["type"].is_string() => Err(refused(what, answer)),
        Ok(body) if body.is_object() => Ok(body),
        Ok(_) | Err(_) => Err(RequestError::Refused {
            what,
            status: answer.status,
            error_type: NOT_OWN.to_owned(),
            reason: format!(
                "this answer is not from the search server but from a proxy before it: {}",
                answer.beginning()
            ),
        }),
    }
}

fn refused(what: String, answer: &ServerAnswer) -> RequestError {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let error = &body["error"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut reasons = vec![text(&error["reason"])];
    let mut cause = &error["caused_by"];
    while cause.is_object() && reasons.len() < MAX_CAUSES {
        let reason = text(&cause["reason"]);
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
        cause = &cause["caused_by"];
    }
    // A proxy before Elasticsearch, or an endpoint that does not exist, answers with text.
    let plain = error.as_str().map(str::to_owned);
    let reason = plain.unwrap_or_else(|| reasons.join("; caused by: "));
    RequestError::Refused { what, status: answer.status, error_type: text(&error["type"]), reason }
}
