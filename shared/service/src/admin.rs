//! The admin port of each service: the status page, `/metrics`, `/livez` and `/readyz`.

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

/// The time limit for requests in flight once the service stops, so that a client with half a request cannot delay it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Serves the admin endpoints until `shutdown` is cancelled, plus at most two seconds. Meanwhile takes samples for the
/// status page, and tells the service manager the readiness ([`notify`]). Limits the connections that strangers can
/// hold open (`connections`).
///
/// - `/`: the status page, for people; `/status.json`: the same data for machines ([`crate::status`]).
/// - `/metrics`: the metrics in Prometheus' text format.
/// - `/livez`: 200 while the process can answer.
/// - `/readyz`: 200 if every [`Condition`] of the readiness is met, else 503. The body names each unmet condition with
///   its reason, and each remark about a condition that is met.
pub async fn serve(status: Status, listener: TcpListener, shutdown: CancellationToken) {
    serve_with(Router::new(), status, listener, shutdown).await;
}

/// Serves the admin endpoints like [`serve`], and the routes of `more`.
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
