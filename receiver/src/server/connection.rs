//! One connection, from its handshake to its end.

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::Watcher;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tower::util::MapRequest;

use super::Tls;
use super::socket::{Begun, Socket};
use crate::authenticate::Peer;

/// What all connections share.
pub(super) struct Connections {
    pub(super) builder: Builder<TokioExecutor>,
    pub(super) router: Router,
    pub(super) head_timeout: Duration,
    pub(super) tls: Option<Arc<Tls>>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Connections {
    /// Serves the requests of `stream` until it ends, or its last request after `watcher` was told to.
    pub(super) async fn serve(&self, stream: TcpStream, watcher: Watcher) -> Result<(), Failure> {
        let Some(tls) = &self.tls else {
            return self.serve_http(stream, None, watcher).await;
        };
        let handshake = TlsAcceptor::from(tls.current()).accept(stream);
        let late = |_| Error::new(ErrorKind::TimedOut, "the TLS handshake took too long");
        let stream = tokio::time::timeout(self.head_timeout, handshake).await.map_err(late)??;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let peer = certificate.map(|certificate| Arc::new(Peer::of(certificate)));
        self.serve_http(stream, peer, watcher).await
    }

    async fn serve_http(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: Option<Arc<Peer>>,
        watcher: Watcher,
    ) -> Result<(), Failure> {
        let begun = Begun::default();
        let socket = Socket::new(stream, begun.clone(), self.head_timeout);
        let arrived = move |mut request: Request<_>| {
            begun.set();
            if let Some(peer) = &peer {
                request.extensions_mut().insert(Arc::clone(peer));
            }
            request
        };
        let service = TowerToHyperService::new(MapRequest::new(self.router.clone(), arrived));
        let connection = self.builder.serve_connection(TokioIo::new(socket), service).into_owned();
        watcher.watch(connection).await
    }
}
