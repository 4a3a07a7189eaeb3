//! The request and answer that the client exchanges with the cluster, and the error if there is no answer.

use std::time::Duration;

use bytes::Bytes;
use elasticsearch::http::Method;

/// The most characters of an answer in a message.
const MAX_SHOWN: usize = 256;

/// A request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// The path, without the query.
    pub path: &'a str,
    /// The query.
    pub query: &'a [(&'a str, &'a str)],
    /// The media type of the body.
    pub content_type: &'static str,
    /// The body; may be empty.
    pub body: Bytes,
}

/// An answer, of any status.
#[derive(Debug, Default)]
pub struct ServerAnswer {
    /// The status.
    pub status: u16,
    /// The body, to its end.
    pub body: Bytes,
    /// Whether a header shows that Elasticsearch itself answered.
    pub is_elasticsearch: bool,
}

impl ServerAnswer {
    /// Returns the beginning of the body, for messages.
    pub fn beginning(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(MAX_SHOWN).collect()
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The answer did not come in time.
    #[error("{node}: no answer within {timeout:?} (elasticsearch.request_timeout)")]
    TimedOut {
        /// The node's address.
        node: String,
        /// The time-out.
        timeout: Duration,
    },
    /// No connection could be made, or it broke.
    #[error("{node}: {reason}")]
    Connection {
        /// The node's address.
        node: String,
        /// What went wrong.
        reason: String,
    },
}
