//! Accepts connections and serves HTTP/1.1 and HTTP/2 on them, with or without TLS, until the receiver stops.
//!
//! `axum::serve` limits neither the time that a head may take nor the number of connections; this module does. It
//! bounds the number, bytes and time of everything that an unauthenticated sender can hold: connections
//! ([`connection_permits`]), incomplete heads ([`head`], [`held`]), and answers that the sender does not read
//! ([`socket`], [`unread`]).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use prometheus::{IntCounter, IntCounterVec, IntGauge};
use service::budget::MinuteLog;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::body_budget::MemoryBudget;
use crate::config::{Network, ProxyProtocol};
use crate::metrics::Counted;
use crate::proxy_protocol::Refusal;
use connection::Connections;
use connection_permits::ConnectionPermits;
use socket::Limits;
use unread::Unread;

pub(crate) use tls::Tls;
pub use tls::TlsError;

mod connection;
mod connection_permits;
mod handshake;
mod head;
mod held;
mod requests;
mod socket;
mod tls;
mod unread;

/// The pause after a failed accept, which is nearly always a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The most concurrent streams of one HTTP/2 connection.
const MAX_STREAMS: u32 = 256;
/// The interval of pings on a silent HTTP/2 connection.
const PING: Duration = Duration::from_secs(30);
/// The most bytes of a request's head. A longer one is answered with 431.
const MAX_HEAD: usize = 32 * 1024;
/// The bytes that an HTTP/2 connection may send before they are read, in all and on one stream.
const WINDOW: u32 = 256 * 1024;

/// The least limit for HTTP/2 answers that unauthenticated senders have not read. Above it, the limit is the number of
/// connections.
const MIN_UNREAD: usize = 1_024;

/// How the server works.
pub(crate) struct Settings {
    /// `receiver.max_connections`.
    pub(crate) max_connections: usize,
    /// `receiver.max_connections_per_address`.
    pub(crate) max_connections_per_address: usize,
    /// `receiver.trusted_proxies`. They may open any number of connections.
    pub(crate) trusted_proxies: Vec<Network>,
    /// `receiver.proxy_protocol`.
    pub(crate) proxy_protocol: ProxyProtocol,
    /// `receiver.head_timeout`.
    pub(crate) head_timeout: Duration,
    /// `receiver.idle_timeout`.
    pub(crate) idle_timeout: Duration,
    /// `receiver.write_timeout`.
    pub(crate) write_timeout: Duration,
    /// The budget for long, incomplete heads of all connections.
    pub(crate) heads: MemoryBudget,
    /// `receiver.shutdown_timeout`: how long the requests in flight may take after `closing`.
    pub(crate) shutdown_timeout: Duration,
    /// TLS, if the listener serves HTTPS.
    pub(crate) tls: Option<Arc<Tls>>,
    /// Counts open connections.
    pub(crate) connections: IntGauge,
    /// Counts connections closed immediately because their address has too many.
    pub(crate) refused: IntCounter,
    /// Counts connections closed because they violate [`Settings::proxy_protocol`], by reason.
    pub(crate) not_proxied: IntCounterVec,
}

/// Serves `router` on `listener` until `closing`, then lets the requests in flight finish. Returns whether all of them
/// did.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    settings: Settings,
    closing: CancellationToken,
) -> bool {
    let permits = ConnectionPermits::new(settings.max_connections, settings.max_connections_per_address);
    let tasks = TaskTracker::new();
    let connections = Arc::new(connections(router, &settings, closing.clone()));
    let failures = MinuteLog::default();
    while let Some((stream, address)) = closing.run_until_cancelled(accept(&listener, &failures)).await {
        let give_way = closing.child_token();
        let address = address.ip().to_canonical();
        let is_proxy = connections.is_proxy(address);
        if !is_proxy && settings.proxy_protocol != ProxyProtocol::None {
            settings.not_proxied.with_label_values(&[Refusal::Untrusted.code()]).inc();
            continue;
        }
        let Some(permit) = closing.run_until_cancelled(permits.take(address, !is_proxy, &give_way)).await else {
            break;
        };
        let Some(permit) = permit else {
            settings.refused.inc();
            continue;
        };
        let (connections, counted) = (Arc::clone(&connections), Counted::new(&settings.connections));
        tasks.spawn(async move {
            if let Err(error) = connections.serve(stream, address, permit).await {
                tracing::debug!(%error, "A connection ended early.");
            }
            drop(counted);
        });
    }
    drop(listener);
    tasks.close();
    tokio::time::timeout(settings.shutdown_timeout, tasks.wait()).await.is_ok()
}

fn connections(router: Router, settings: &Settings, closing: CancellationToken) -> Connections {
    Connections {
        builder: builder(settings.idle_timeout),
        router,
        head_timeout: settings.head_timeout,
        idle_timeout: settings.idle_timeout,
        limits: Limits {
            head_timeout: settings.head_timeout,
            write_timeout: settings.write_timeout,
            heads: settings.heads.clone(),
        },
        unread: Unread::new(settings.max_connections.max(MIN_UNREAD)),
        tls: settings.tls.clone(),
        trusted_proxies: settings.trusted_proxies.clone(),
        proxy_protocol: settings.proxy_protocol,
        refused: settings.refused.clone(),
        not_proxied: settings.not_proxied.clone(),
        closing,
    }
}

fn builder(idle_timeout: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // Some clients close their sending side after the request, and wait for the answer. hyper would not answer them.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(idle_timeout).max_buf_size(MAX_HEAD).half_close(true);
    let mut http2 = builder.http2();
    http2.timer(TokioTimer::new()).max_concurrent_streams(MAX_STREAMS).keep_alive_interval(PING);
    // 32 KiB fits a `u32`.
    http2
        .max_header_list_size(MAX_HEAD as u32)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW);
    builder
}

/// Returns the next connection. Logs the failures until then, at most once a minute.
async fn accept(listener: &TcpListener, failures: &MinuteLog) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "Cannot set TCP_NODELAY.");
                }
                return (stream, address);
            }
            Err(error) => {
                if let Some(failures) = failures.take(1, Instant::now()) {
                    tracing::warn!(%error, failures, "Cannot accept connections; trying again.");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
