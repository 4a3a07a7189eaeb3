//! The admin port that each service has: the status page, `/metrics`, `/livez` and `/readyz`.

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

use crate::notify;
use crate::status::{SECURITY_POLICY, Status};

pub use crate::readiness::{Condition, Readiness};

mod connections;

/// How long requests in flight may take once the service stops: a client that sends half a request must not hold it up.
const PATIENCE: Duration = Duration::from_secs(2);

/// Serves the admin endpoints until `shutdown` is cancelled, and two seconds longer at most. Meanwhile samples
/// for the status page are taken, and the service manager learns the readiness ([`notify`]). What strangers can hold is
/// bounded (`connections`).
///
/// - `/`: the status page, for people; `/status.json`: the same for machines ([`crate::status`]).
/// - `/metrics`: the metrics in Prometheus' text format.
/// - `/livez`: 200 as long as the process can answer at all.
/// - `/readyz`: 200 when every [`Condition`] of the readiness is met, else 503; the body names each condition that is
///   not, with its reason, and what is wrong although all are met.
pub async fn serve(status: Status, listener: TcpListener, shutdown: CancellationToken) {
    serve_with(Router::new(), status, listener, shutdown).await;
}

/// [`serve`], and the routes of `more`.
pub async fn serve_with(more: Router, status: Status, listener: TcpListener, shutdown: CancellationToken) {
    let status = Arc::new(status);
    let router = Router::new()
        .route("/", get(page))
        .route("/status.json", get(json))
        .route("/metrics", get(metrics))
        .route("/livez", get(|| async { "live\n" }))
        .route("/readyz", get(readyz))
        .with_state(Arc::clone(&status))
        .merge(more);
    let overdue = {
        let shutdown = shutdown.clone();
        async move {
            shutdown.cancelled().await;
            tokio::time::sleep(PATIENCE).await;
        }
    };
    tokio::select! {
        () = connections::serve(listener, router, shutdown) => {}
        () = overdue => {}
        never = notify::follow(status.readiness()) => match never {},
        never = status.follow() => match never {},
    }
}

async fn page(State(status): State<Arc<Status>>) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, SECURITY_POLICY.as_str()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, status.page())
}

async fn json(State(status): State<Arc<Status>>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    match status.json() {
        Ok(text) => (headers, text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn metrics(State(status): State<Arc<Status>>) -> Response {
    let mut body = Vec::new();
    let encoder = TextEncoder::new();
    match encoder.encode(&status.registry().gather(), &mut body) {
        Ok(()) => ([(header::CONTENT_TYPE, encoder.format_type().to_owned())], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn readyz(State(status): State<Arc<Status>>) -> Response {
    let unmet = status.readiness().unmet();
    if unmet.is_empty() {
        let remarks = status.readiness().remarks();
        let lines = remarks.iter().map(|(name, remark)| format!("{name}: {remark}\n"));
        return std::iter::once("ready\n".to_owned()).chain(lines).collect::<String>().into_response();
    }
    let lines: String = unmet.iter().map(|(name, reason)| format!("{name}: {reason}\n")).collect();
    (StatusCode::SERVICE_UNAVAILABLE, lines).into_response()
}

#[cfg(test)]
mod tests;
