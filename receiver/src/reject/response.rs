//! Turns a rejection into an HTTP answer: problem details (RFC 9457).

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::location::ErrorLocation;
use super::table::Row;
use super::{Rejection, detail};

/// Returns `wait` in whole seconds, rounded up, at least one: `Retry-After` has no fractions.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1_000).max(1).try_into().unwrap_or(u64::MAX)
}

/// Problem details, RFC 9457; `code` and the members of [`ErrorLocation`] are extensions.
#[derive(Serialize)]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: Cow<'static, str>,
    code: &'static str,
    #[serde(flatten)]
    at: Option<ErrorLocation>,
}

impl Problem {
    fn of(rejection: &Rejection) -> Self {
        let Row { status, code, title, .. } = rejection.row();
        let at = ErrorLocation::of(rejection);
        let kind = format!("urn:penstock:problem:{code}");
        Self { kind, title, status: status.as_u16(), code, detail: detail(rejection), at }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        // Serialising strings and numbers always succeeds. If it failed, the status would still tell the essential.
        let body = serde_json::to_vec(&Problem::of(&self)).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        if let Some((name, value)) = &self.row().header {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Self::Unauthorized(challenge) = self {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
