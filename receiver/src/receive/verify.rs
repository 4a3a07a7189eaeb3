//! Answers vendors that check whether a webhook exists before they send an event: with `GET` or `HEAD`, with or without
//! a challenge to return; with a `POST` without a body that holds a challenge; or with `OPTIONS`.

use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};

use crate::config::Verification;

/// The most bytes of a challenge.
const MAX_CHALLENGE: usize = 1_024;

const REQUEST_ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const ALLOWED_RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");
const NO_SNIFF: HeaderName = HeaderName::from_static("x-content-type-options");

/// Returns the answer to a request for `uri`: the challenge if there is one, as text that browsers do not interpret.
pub(crate) fn answer(verification: &Verification, uri: &Uri) -> Response {
    echo(challenge(verification, uri).unwrap_or_default())
}

/// Returns the answer to a `POST` with a challenge and without a body, as Microsoft Graph sends it. An event always has
/// a body.
pub(crate) fn posted(verification: &Verification, request: &Request) -> Option<Response> {
    if !request.body().is_end_stream() {
        return None;
    }
    challenge(verification, request.uri()).map(echo)
}

/// Returns the challenge in the query.
fn challenge(verification: &Verification, uri: &Uri) -> Option<String> {
    let text = parameter(uri, verification.challenge_parameter.as_deref()?)?;
    (text.len() <= MAX_CHALLENGE).then_some(text)
}

fn echo(text: String) -> Response {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    ([(CONTENT_TYPE, plain), (NO_SNIFF, HeaderValue::from_static("nosniff"))], text).into_response()
}

/// Returns the answer to `OPTIONS`: the allowed methods. A sender that asks for permission with
/// `WebHook-Request-Origin` gets it, at any rate (`CloudEvents`, "HTTP 1.1 Web Hooks for Event Delivery", section 4).
pub(crate) fn options(head: &HeaderMap) -> Response {
    let mut answer = HeaderMap::new();
    answer.insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS, POST"));
    if let Some(origin) = head.get(REQUEST_ORIGIN) {
        answer.insert(ALLOWED_ORIGIN, origin.clone());
        answer.insert(ALLOWED_RATE, HeaderValue::from_static("*"));
    }
    answer.into_response()
}

/// Returns the decoded value of this query parameter.
fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let mut url = reqwest::Url::parse("http://localhost/").ok()?;
    url.set_query(uri.query());
    let found = url.query_pairs().find(|(key, _)| key == name)?.1.into_owned();
    Some(found)
}

#[cfg(test)]
mod tests;
