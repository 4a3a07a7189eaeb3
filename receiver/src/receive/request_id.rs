//! The request id and the trace context, which link a request, its answer, its log lines and its record.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use traces::Traceparent;
use uuid::Uuid;

/// The header with the id, in requests and answers.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The longest id that is accepted from a sender, in bytes.
const LONGEST: usize = 128;

/// The id of a request: the sender's if it is valid, else a new one.
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// Returns the id of the request with these headers: `X-Request-Id` if it has 1 to 128 printable ASCII characters,
    /// else a new UUID (version 4).
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match headers.get(HEADER) {
            Some(value) if is_sane(value.as_bytes()) => Self(value.clone()),
            Some(_) | None => Self(new_id()),
        }
    }

    /// Returns the id for the record.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Returns the id for a log line.
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// Returns the id for the answer.
    pub(crate) fn into_value(self) -> HeaderValue {
        self.0
    }
}

fn is_sane(value: &[u8]) -> bool {
    (1..=LONGEST).contains(&value.len()) && value.iter().all(|byte| (b' '..=b'~').contains(byte))
}

fn new_id() -> HeaderValue {
    // The id must be unique, not secret, so the thread's generator serves and saves a system call for each request.
    let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
    let mut text = Uuid::encode_buffer();
    let text = id.hyphenated().encode_lower(&mut text);
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}

/// Returns the request's trace context as sent, if it is well-formed and not too long.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(TRACEPARENT)?.as_bytes();
    let is_kept = value.len() <= LONGEST && Traceparent::parse(value).is_some();
    is_kept.then_some(value)
}

#[cfg(test)]
mod tests;
