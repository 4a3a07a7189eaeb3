//! Routes a path to the endpoint of its source, and answers all other paths.

use std::any::Any;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use prometheus::IntCounter;
use tower_http::catch_panic::CatchPanicLayer;

use crate::config::TrailingSlash;
use crate::receive::{Common, Endpoint, other_method, receive};
use crate::reject::Rejection;
use crate::source::Source;

/// Returns the router for `sources` and for the routes of `more`. The paths of the sources must be distinct and plain.
pub(crate) fn router(
    sources: &[Arc<Source>],
    common: &Arc<Common>,
    trailing_slash: TrailingSlash,
    more: Router,
) -> Router {
    let mut router = more;
    let mut plain = HashMap::new();
    for source in sources {
        let endpoint = Arc::new(Endpoint::new(source, common));
        let method = post(receive).fallback(other_method).with_state(Arc::clone(&endpoint));
        let other = match source.path.strip_suffix('/') {
            Some(without) => without.to_owned(),
            None => format!("{}/", source.path),
        };
        let is_taken = other.is_empty() || sources.iter().any(|source| source.path == other);
        if trailing_slash == TrailingSlash::Ignore && !is_taken {
            router = router.route(&other, method.clone());
            plain.insert(normal(&other), Arc::clone(&endpoint));
        }
        plain.insert(normal(&source.path), endpoint);
        router = router.route(&source.path, method);
    }
    let others = Arc::new(Others { endpoints: plain, unrouted: common.metrics.unrouted.clone() });
    let rest = move |request: Request| other_path(Arc::clone(&others), request);
    router.fallback(rest).layer(CatchPanicLayer::custom(panicked))
}

/// Handles paths that match no source as written.
struct Others {
    /// The endpoints by their [`normal`] paths.
    endpoints: HashMap<String, Arc<Endpoint>>,
    unrouted: IntCounter,
}

/// Answers a request whose path matches no source as written. It may still be another spelling of a source's path.
async fn other_path(others: Arc<Others>, request: Request) -> Response {
    let endpoint = others.endpoints.get(&normal(request.uri().path())).map(Arc::clone);
    match endpoint {
        Some(endpoint) if request.method() == Method::POST => receive(State(endpoint), request).await,
        Some(endpoint) => other_method(State(endpoint), request).await,
        None => {
            others.unrouted.inc();
            Rejection::NotFound.into_response()
        }
    }
}

/// All characters except those that need no percent-encoding (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns the normal form of `path`, which all equivalent spellings share (RFC 3986, section 6.2.2). It leaves
/// unreserved characters as they are, and percent-encodes other encoded bytes and all bytes that are not ASCII, in
/// uppercase.
fn normal(path: &str) -> String {
    let mut rest = path.as_bytes();
    let mut normal = String::with_capacity(path.len());
    while let Some(byte) = rest.get(..1) {
        let (len, byte, encoded) = match decoded(rest) {
            Some(decoded) => (3, &[decoded][..], RESERVED),
            None => (1, byte, &AsciiSet::EMPTY),
        };
        normal.extend(percent_encode(byte, encoded));
        rest = rest.get(len..).unwrap_or_default();
    }
    normal
}

/// Returns the first byte of `text` decoded, if it is percent-encoded.
fn decoded(text: &[u8]) -> Option<u8> {
    let triplet = text.get(..3).filter(|triplet| triplet.starts_with(b"%"))?;
    match Cow::from(percent_decode(triplet)) {
        Cow::Owned(decoded) => decoded.first().copied(),
        // The text is not a valid triplet.
        Cow::Borrowed(_) => None,
    }
}

/// Answers a request whose handler panicked, so that a bug costs only its own request. The panic's value may hold
/// anything, so it is not logged here; the panic hook has written it to standard error.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("A request handler panicked.");
    Rejection::Internal.into_response()
}

#[cfg(test)]
mod tests;
