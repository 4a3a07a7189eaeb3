//! Accepts connections and serves HTTP/1.1 and HTTP/2 on them, with TLS or without, until told to stop.
//!
//! `axum::serve` has no time-out for a head that never comes and no limit for connections; this has both.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use prometheus::IntGauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::metrics::Counted;
use connection::Connections;

pub(crate) use tls::Tls;
pub use tls::TlsError;

mod connection;
mod socket;
mod tls;

/// The pause after a failed accept, which is nearly always a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Streams of one HTTP/2 connection at a time.
const MAX_STREAMS: u32 = 256;
/// How often a silent HTTP/2 connection is asked whether it still lives.
const PING: Duration = Duration::from_secs(30);

/// How to serve.
pub(crate) struct Settings {
    /// `receiver.max_connections`.
    pub(crate) max_connections: usize,
    /// `receiver.head_timeout`.
    pub(crate) head_timeout: Duration,
    /// `receiver.idle_timeout`.
    pub(crate) idle_timeout: Duration,
    /// How long the requests under way may take at the end.
    pub(crate) patience: Duration,
    /// HTTPS, where it is wanted.
    pub(crate) tls: Option<Arc<Tls>>,
    /// Open connections.
    pub(crate) connections: IntGauge,
}

/// Serves `router` on `listener` until `closing`; then lets the requests under way finish. Gives whether they all did.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    settings: Settings,
    closing: CancellationToken,
) -> bool {
    let places = Arc::new(Semaphore::new(settings.max_connections.min(Semaphore::MAX_PERMITS)));
    let graceful = GracefulShutdown::new();
    let builder = builder(settings.idle_timeout);
    let connections = Connections { builder, router, head_timeout: settings.head_timeout, tls: settings.tls };
    let connections = Arc::new(connections);
    while let Some(Some((stream, place))) = closing.run_until_cancelled(accept(&listener, &places)).await {
        let counted = Counted::new(&settings.connections);
        let (connections, watcher) = (Arc::clone(&connections), graceful.watcher());
        tokio::spawn(async move {
            if let Err(error) = connections.serve(stream, watcher).await {
                tracing::debug!(%error, "A connection ended early.");
            }
            drop((place, counted));
        });
    }
    drop(listener);
    tokio::time::timeout(settings.patience, graceful.shutdown()).await.is_ok()
}

fn builder(idle_timeout: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(idle_timeout);
    let mut http2 = builder.http2();
    http2.timer(TokioTimer::new()).max_concurrent_streams(MAX_STREAMS).keep_alive_interval(PING);
    builder
}

/// The next connection, once there is a place for one. None only if the places are closed, which nobody does.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "Cannot set TCP_NODELAY.");
                }
                return Some((stream, place));
            }
            Err(error) => {
                tracing::warn!(%error, "Cannot accept a connection; trying again.");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
