//! Connections with TLS to a receiver: some exchange whole requests, others stop in the middle.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use harness::eventually::patience;
use harness::http::Connection;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Opens connections.
#[derive(Clone)]
pub(super) struct Lines {
    target: String,
    connector: TlsConnector,
}

/// A connection on which requests are written by hand. Dropping it closes it.
pub(super) struct Line(TlsStream<TcpStream>);

impl Lines {
    /// Creates connections to the receiver at `target`, a `host:port`, with a certificate of the authority in
    /// `ca_file`.
    pub(super) fn new(target: String, ca_file: &Path) -> Result<Self> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(ca_file)?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { target, connector: TlsConnector::from(Arc::new(config)) })
    }

    pub(super) async fn open(&self) -> Result<Line> {
        let stream = TcpStream::connect(&self.target).await?;
        Ok(Line(self.connector.connect(ServerName::try_from("127.0.0.1")?, stream).await?))
    }

    /// Opens a connection for whole requests and answers.
    pub(super) async fn connection(&self) -> Result<Connection> {
        Connection::over(self.open().await?.0).await
    }

    /// Opens a connection and sends `bytes`, which may be a part of a request.
    pub(super) async fn send(&self, bytes: &[u8]) -> Result<Line> {
        let mut line = self.open().await?;
        // A refused connection may already be closed.
        line.0.write_all(bytes).await.ok();
        line.0.flush().await.ok();
        Ok(line)
    }
}

impl Line {
    /// Waits for an answer, and returns its status.
    pub(super) async fn status(&mut self) -> Result<u16> {
        let mut head = Vec::new();
        let reading = async {
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.0.read_u8().await?);
            }
            anyhow::Ok(())
        };
        timeout(patience() * 3, reading).await.context("no answer")??;
        let text = String::from_utf8_lossy(&head);
        let status = text.split(' ').nth(1).with_context(|| format!("not HTTP: {text}"))?;
        Ok(status.parse()?)
    }

    /// Waits until the receiver has answered or closed the connection. The connection stays open even afterwards.
    pub(super) async fn ended(mut self) -> Self {
        self.0.read_u8().await.ok();
        self
    }
}
