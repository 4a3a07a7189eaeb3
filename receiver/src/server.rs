//! Accepts connections and serves HTTP/1.1 and HTTP/2 on them, until told to stop.
//!
//! `axum::serve` has no time-out for a head that never comes and no limit for connections; this has both.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use prometheus::IntGauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::metrics::Counted;
use socket::Socket;

mod socket;

/// How long a connection may wait for a request's head, idle time between requests included. Longer than the idle time-outs of
/// the usual load balancers (60 s), which must be the first to close, or they would send a request into a closing connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// The pause after a failed accept, which is nearly always a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Streams of one HTTP/2 connection at a time.
const MAX_STREAMS: u32 = 256;
/// How often a silent HTTP/2 connection is asked whether it still lives.
const PING: Duration = Duration::from_secs(30);

/// Serves `router` on `listener` until `shutdown`, with at most `max_connections` at a time; then lets the requests under way
/// finish, for `patience` at most. Gives whether they all did.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    max_connections: usize,
    connections: IntGauge,
    patience: Duration,
    shutdown: CancellationToken,
) -> bool {
    let builder = builder();
    let places = Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)));
    let graceful = GracefulShutdown::new();
    while let Some(Some((stream, place))) = shutdown.run_until_cancelled(accept(&listener, &places)).await {
        let counted = Counted::new(&connections);
        let service = TowerToHyperService::new(router.clone());
        let connection = builder.serve_connection(TokioIo::new(Socket::new(stream)), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "A connection ended early.");
            }
            drop((place, counted));
        });
    }
    drop(listener);
    tokio::time::timeout(patience, graceful.shutdown()).await.is_ok()
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let mut http2 = builder.http2();
    http2.timer(TokioTimer::new()).max_concurrent_streams(MAX_STREAMS).keep_alive_interval(PING);
    builder
}

/// The next connection, once there is a place for one. None only if the places are closed, which nobody does.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
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
