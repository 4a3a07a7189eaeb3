//! The admin port that each service has: `/metrics`, `/livez` and `/readyz`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{Encoder, TextEncoder};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::Registry;
use crate::notify;

pub use crate::readiness::{Condition, Readiness};

/// How long requests in flight may take once the service stops: a client that sends half a request must not hold it up.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone)]
struct Admin {
    registry: Registry,
    readiness: Arc<Readiness>,
}

/// Serves the admin endpoints until `shutdown` is cancelled, and two seconds longer at most. Meanwhile the service
/// manager learns the readiness ([`notify`]).
///
/// - `/metrics`: `registry` in Prometheus' text format.
/// - `/livez`: 200 as long as the process can answer at all.
/// - `/readyz`: 200 when every [`Condition`] of `readiness` is met, else 503; the body names each condition that is not, with its
///   reason, and what is wrong although all are met.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    registry: Registry,
    readiness: Arc<Readiness>,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    serve_with(Router::new(), listener, registry, readiness, shutdown).await
}

/// [`serve`], and the routes of `more`.
///
/// # Errors
/// When the listener fails.
pub async fn serve_with(
    more: Router,
    listener: TcpListener,
    registry: Registry,
    readiness: Arc<Readiness>,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let followed = Arc::clone(&readiness);
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(|| async { "live\n" }))
        .route("/readyz", get(readyz))
        .with_state(Admin { registry, readiness })
        .merge(more);
    let overdue = {
        let shutdown = shutdown.clone();
        async move {
            shutdown.cancelled().await;
            tokio::time::sleep(PATIENCE).await;
        }
    };
    tokio::select! {
        served = axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).into_future() => served,
        () = overdue => Ok(()),
        never = notify::follow(&followed) => match never {},
    }
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let mut body = Vec::new();
    let encoder = TextEncoder::new();
    match encoder.encode(&admin.registry.gather(), &mut body) {
        Ok(()) => ([(header::CONTENT_TYPE, encoder.format_type().to_owned())], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn readyz(State(admin): State<Admin>) -> Response {
    let unmet = admin.readiness.unmet();
    if unmet.is_empty() {
        let remarks = admin.readiness.remarks();
        let lines = remarks.iter().map(|(name, remark)| format!("{name}: {remark}\n"));
        return std::iter::once("ready\n".to_owned()).chain(lines).collect::<String>().into_response();
    }
    let lines: String = unmet.iter().map(|(name, reason)| format!("{name}: {reason}\n")).collect();
    (StatusCode::SERVICE_UNAVAILABLE, lines).into_response()
}

#[cfg(test)]
mod tests;
