//! The connections of the admin port. Their number is bounded: a new connection beyond the limit closes the oldest.
//!
//! Probes and scrapes are answered within milliseconds, so the oldest connection is most likely idle. A client that
//! opens connections and leaves them open can neither block a probe nor use up the process's file descriptors, and
//! slow clients need no time-out.

use std::collections::VecDeque;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// The most connections at a time.
pub(super) const MOST: usize = 128;
/// The most bytes in the head of a request.
const MAX_HEAD: usize = 32 * 1024;
/// The most streams at a time in one HTTP/2 connection.
const MAX_STREAMS: u32 = 16;
/// The most bytes that an HTTP/2 connection may send before they are read. No endpoint here reads a request body.
const WINDOW: u32 = 64 * 1024;
/// The pause after a failed accept, which nearly always means a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `router` on `listener` until `shutdown`, then lets the requests in flight finish.
pub(super) async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let builder = builder();
    let graceful = GracefulShutdown::new();
    // Dropping this future drops the set, which aborts the connections that are still open.
    let mut tasks = JoinSet::new();
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "Cannot accept a connection of the admin port; trying again.");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        while tasks.try_join_next().is_some() {}
        open.retain(|connection| !connection.is_finished());
        if open.len() >= MOST
            && let Some(oldest) = open.pop_front()
        {
            oldest.abort();
        }
        let service = TowerToHyperService::new(router.clone());
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        open.push_back(tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "A connection of the admin port ended early.");
            }
        }));
    }
    drop(listener);
    graceful.shutdown().await;
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(MAX_HEAD);
    let mut http2 = builder.http2();
    http2
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD as u32)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW);
    builder
}
