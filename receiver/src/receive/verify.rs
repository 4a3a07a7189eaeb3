//! Answers the requests by which vendors verify a webhook before they send an event: `GET` or `HEAD`, with or without a
//! challenge that the answer must repeat; `POST` with a challenge in the query or in the body ([`posted`]); or
//! `OPTIONS`.
//!
//! Unless the challenge is signed, anyone may send such a request. So the answer is short, contains only what the
//! client has sent (for X, its hash), and has a content type that no browser renders as a page. A new vendor is a
//! variant of [`Vendor`](crate::config::Vendor) and of [`Challenge`], and an arm here or in [`posted`].

use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::source::challenge::Challenge;
use crate::stages::authenticate::Unauthorized;

pub(super) mod posted;

/// The most bytes of a challenge.
const MAX_CHALLENGE: usize = 1_024;
/// The most bytes of X's token.
const MAX_CRC_TOKEN: usize = 256;

const OKTA: HeaderName = HeaderName::from_static("x-okta-verification-challenge");
const REQUEST_ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const ALLOWED_RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");
const NO_SNIFF: HeaderName = HeaderName::from_static("x-content-type-options");

/// Returns the answer to a `GET` or `HEAD`: the one that the vendor expects, or an empty one if the request does not
/// carry the configured challenge. `hash` returns the hash of a text, keyed with the secret of the source.
///
/// # Errors
/// [`Unauthorized`]: the request must carry a token, and its token is wrong.
pub(crate) fn answer(
    challenge: &Challenge,
    head: &Parts,
    hash: impl Fn(&[u8]) -> Option<[u8; 32]>,
) -> Result<Response, Unauthorized> {
    let query = |name| parameter(&head.uri, name).filter(|text| text.len() <= MAX_CHALLENGE);
    Ok(match challenge {
        Challenge::None | Challenge::Posted(_) => text(String::new()),
        Challenge::Parameter(name) => text(query(name).unwrap_or_default()),
        Challenge::Okta => {
            let value = head.headers.get(OKTA).filter(|value| value.len() <= MAX_CHALLENGE);
            let value = value.and_then(|value| value.to_str().ok());
            value.map_or_else(|| text(String::new()), |value| object(&json!({"verification": value})))
        }
        Challenge::X => {
            let hash = query("crc_token")
                .filter(|token| is_crc_token(token.as_bytes()))
                .and_then(|token| hash(token.as_bytes()));
            let token = hash.map(|hash| json!({"response_token": format!("sha256={}", STANDARD.encode(hash))}));
            token.map_or_else(|| text(String::new()), |token| object(&token))
        }
        Challenge::Meta(tokens) => match query("hub.challenge") {
            None => text(String::new()),
            Some(value) => {
                tokens.check(query("hub.verify_token").ok_or(Unauthorized)?.as_bytes())?;
                text(value)
            }
        },
    })
}

/// Returns whether `text` may be a token of X. Anyone can request the hash of such a text, and X signs events with the
/// same hash. So no event may look like a token.
pub(super) fn is_crc_token(text: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
    !text.is_empty() && text.len() <= MAX_CRC_TOKEN && text.iter().all(is_plain)
}

/// Returns the answer to a `POST` without a body that has the configured query parameter, as Microsoft Graph sends it.
/// An event always has a body.
pub(crate) fn bodiless(challenge: &Challenge, request: &Request) -> Option<Response> {
    let Challenge::Parameter(name) = challenge else { return None };
    let value = request.body().is_end_stream().then(|| parameter(request.uri(), name)).flatten();
    value.filter(|value| value.len() <= MAX_CHALLENGE).map(text)
}

/// Returns an answer of plain text.
fn text(text: String) -> Response {
    of_type("text/plain; charset=utf-8", text)
}

/// Returns an answer of JSON.
fn object(value: &Value) -> Response {
    of_type("application/json", value.to_string())
}

fn of_type(media_type: &'static str, text: String) -> Response {
    let headers =
        [(CONTENT_TYPE, HeaderValue::from_static(media_type)), (NO_SNIFF, HeaderValue::from_static("nosniff"))];
    (headers, text).into_response()
}

/// Returns the answer to `OPTIONS`: the allowed methods. A sender that asks for permission with
/// `WebHook-Request-Origin` gets it, without a limit of its rate (`CloudEvents`, "HTTP 1.1 Web Hooks for Event
/// Delivery", section 4).
pub(crate) fn options(head: &HeaderMap) -> Response {
    let mut answer = HeaderMap::new();
    answer.insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS, POST"));
    if let Some(origin) = head.get(REQUEST_ORIGIN).filter(|origin| origin.len() <= MAX_CHALLENGE) {
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
