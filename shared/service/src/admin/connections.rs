//! The connections of the admin port: so many at a time. Where there is one more, the oldest gives way.
//!
//! Probes and scrapes are answered within milliseconds, so a connection that is older than all others most likely only
//! holds its place. So nobody who opens connections, and leaves them open, keeps out a probe or takes the file
//! descriptors from the rest of the process; and no time-out is needed for those who are slow.

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

/// Connections at a time.
pub(super) const MOST: usize = 128;
/// Bytes of a request's head, at most.
const MAX_HEAD: usize = 32 * 1024;
/// Streams of one HTTP/2 connection at a time.
const MAX_STREAMS: u32 = 16;
/// Bytes that an HTTP/2 connection may send ahead of what is read. No request here has a body that is.
const WINDOW: u32 = 64 * 1024;
/// The pause after a failed accept, which is nearly always a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `router` on `listener` until `shutdown`, then lets the requests in flight finish.
pub(super) async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let builder = builder();
    let graceful = GracefulShutdown::new();
    // Dropped with this future, and with it those that do not end.
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
