//! From a path to its source's endpoint; everything else is answered here.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use config::TrailingSlash;
use tower_http::catch_panic::CatchPanicLayer;

use crate::receive::{Common, Endpoint, other_method, receive};
use crate::reject::Rejection;
use crate::source::Source;

/// The router for `sources` and for what is in `more`. The sources' paths are known to be distinct and plain.
pub(crate) fn router(
    sources: &[Arc<Source>],
    common: &Arc<Common>,
    trailing_slash: TrailingSlash,
    more: Router,
) -> Router {
    let mut router = more;
    for source in sources {
        let endpoint = Endpoint { source: Arc::clone(source), common: Arc::clone(common) };
        let method = post(receive).fallback(other_method).with_state(Arc::new(endpoint));
        let other = match source.path.strip_suffix('/') {
            Some(without) => without.to_owned(),
            None => format!("{}/", source.path),
        };
        let is_taken = other.is_empty() || sources.iter().any(|source| source.path == other);
        if trailing_slash == TrailingSlash::Ignore && !is_taken {
            router = router.route(&other, method.clone());
        }
        router = router.route(&source.path, method);
    }
    let unrouted = common.metrics.unrouted.clone();
    let not_found = move || {
        unrouted.inc();
        std::future::ready(Rejection::NotFound)
    };
    router.fallback(not_found).layer(CatchPanicLayer::custom(panicked))
}

/// A bug in a handler costs its own request and no other. What it panicked with may hold anything, so it is not logged here;
/// the panic hook has written it to standard error.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("A request handler panicked.");
    Rejection::Internal.into_response()
}
