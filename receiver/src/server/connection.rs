//! One connection, from its handshake to its end.

use std::io::{Error, ErrorKind};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use prometheus::{IntCounter, IntCounterVec};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::Tls;
use super::connection_permits::ConnectionPermit;
use super::handshake::Handshake;
use super::requests::Requests;
use super::socket::{Limits, Socket};
use super::unread::Unread;
use crate::client::Client;
use crate::config::{Network, ProxyProtocol};
use crate::proxy_protocol::{self, Origin};
use crate::stages::authenticate::Peer;

/// How long an idle connection may take to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// The parts that all connections share.
pub(super) struct Connections {
    pub(super) builder: Builder<TokioExecutor>,
    pub(super) router: Router,
    /// The time-out of the TLS handshake and of the PROXY protocol.
    pub(super) head_timeout: Duration,
    pub(super) idle_timeout: Duration,
    pub(super) limits: Limits,
    /// The answers that are not read yet.
    pub(super) unread: Arc<Unread>,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) trusted_proxies: Vec<Network>,
    pub(super) proxy_protocol: ProxyProtocol,
    /// Counts connections closed because their address has too many.
    pub(super) refused: IntCounter,
    /// Counts connections closed because of their header of the PROXY protocol.
    pub(super) not_proxied: IntCounterVec,
    pub(super) closing: CancellationToken,
}

type ConnectionError = Box<dyn std::error::Error + Send + Sync>;

impl Connections {
    /// Serves the requests of `stream` until it ends, is idle, must give up its `permit`, or has answered its last
    /// request after the server began closing.
    pub(super) async fn serve(
        &self,
        mut stream: TcpStream,
        address: IpAddr,
        mut permit: ConnectionPermit,
    ) -> Result<(), ConnectionError> {
        let Some(address) = self.origin(&mut stream, address, &mut permit).await? else { return Ok(()) };
        let permit = &permit;
        let Some(tls) = &self.tls else {
            return self.serve_http(stream, Client::new(address, None), permit).await;
        };
        let handshake = TlsAcceptor::from(tls.current()).accept(Handshake::begin(stream, &self.limits.heads));
        let late = |_| Error::new(ErrorKind::TimedOut, "the TLS handshake took too long");
        let mut stream = tokio::select! {
            done = tokio::time::timeout(self.head_timeout, handshake) => done.map_err(late)??,
            () = permit.give_way() => return Ok(()),
        };
        stream.get_mut().0.end();
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let client = Client::new(address, certificate.map(|der| Peer::of(der)));
        self.serve_http(stream, client, permit).await
    }

    /// Returns whether `address` is a trusted proxy.
    pub(super) fn is_proxy(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(address))
    }

    /// Returns the address that a connection from `address` counts for. With the PROXY protocol, this is the address in
    /// its head. Returns `None` if the connection must be closed.
    async fn origin(
        &self,
        stream: &mut TcpStream,
        address: IpAddr,
        permit: &mut ConnectionPermit,
    ) -> Result<Option<IpAddr>, ConnectionError> {
        if self.proxy_protocol == ProxyProtocol::None {
            return Ok(Some(address));
        }
        let read = tokio::select! {
            read = proxy_protocol::read(stream, self.proxy_protocol, self.head_timeout) => read,
            () = permit.give_way() => return Ok(None),
        };
        let origin = read.inspect_err(|refusal| self.not_proxied.with_label_values(&[refusal.code()]).inc())?;
        let named = match origin {
            Origin::Address(named) => named,
            Origin::Proxy => return Ok(Some(address)),
            Origin::Closed => return Ok(None),
        };
        if !self.is_proxy(named) && !permit.move_to(named) {
            self.refused.inc();
            return Ok(None);
        }
        Ok(Some(named))
    }

    async fn serve_http(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        client: Arc<Client>,
        permit: &ConnectionPermit,
    ) -> Result<(), ConnectionError> {
        permit.set_client(&client);
        let socket = Socket::new(stream, Arc::clone(&client), &self.limits);
        let streams = self.unread.connection();
        let requests =
            Requests { router: self.router.clone(), client: Arc::clone(&client), streams: Arc::clone(&streams) };
        let service = TowerToHyperService::new(requests);
        let mut connection = pin!(self.builder.serve_connection(TokioIo::new(socket), service));
        let idle = tokio::select! {
            biased;
            ended = connection.as_mut() => return ended,
            () = permit.give_way() => false,
            () = streams.stall(self.limits.write_timeout) => false,
            () = client.idle(self.idle_timeout) => true,
        };
        let closing = self.closing.is_cancelled();
        if !idle && !closing {
            // Another connection needs the permit, or answers are not read. This sender is not authenticated, so its
            // open requests are dropped.
            return Ok(());
        }
        connection.as_mut().graceful_shutdown();
        match closing {
            // The server's own time-out applies.
            true => connection.await,
            false => tokio::time::timeout(CLOSE_TIMEOUT, connection).await.unwrap_or(Ok(())),
        }
    }
}
