//! TLS termination in front of a server of the stack without TLS.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ConfigBuilder, RootCertStore, ServerConfig, WantsVerifier};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::certificates::{Authority, Files};

/// A port with TLS in front of a server. It ends when dropped.
pub struct Terminator {
    port: u16,
    _stop: DropGuard,
}

impl Terminator {
    /// Starts TLS in front of the server of `upstream`, `http://host:port/path`, with the certificate `server`.
    ///
    /// # Errors
    /// If no port is free, or a file cannot be used.
    pub async fn start(upstream: &str, server: &Files) -> anyhow::Result<Self> {
        Self::serve(upstream, with_certificate(builder()?.with_no_client_auth(), server)?).await
    }

    /// Does the same as [`Terminator::start`], but admits only clients with a certificate of `clients`.
    ///
    /// # Errors
    /// As for [`Terminator::start`].
    pub async fn start_for(upstream: &str, server: &Files, clients: &Authority) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(clients.ca_file())?)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build()?;
        Self::serve(upstream, with_certificate(builder()?.with_client_cert_verifier(verifier), server)?).await
    }

    /// Returns its port on the loopback interface.
    pub fn port(&self) -> u16 {
        self.port
    }

    async fn serve(upstream: &str, config: ServerConfig) -> anyhow::Result<Self> {
        let rest = upstream.trim_start_matches("http://");
        let upstream = rest.split('/').next().unwrap_or(rest).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let stop = CancellationToken::new();
        let serving = stop.clone();
        let accept = accept(listener, TlsAcceptor::from(Arc::new(config)), upstream);
        tokio::spawn(async move { serving.run_until_cancelled(accept).await });
        Ok(Self { port, _stop: stop.drop_guard() })
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn builder() -> anyhow::Result<ConfigBuilder<ServerConfig, WantsVerifier>> {
    Ok(ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?)
}

fn with_certificate(
    builder: ConfigBuilder<ServerConfig, rustls::server::WantsServerCert>,
    server: &Files,
) -> anyhow::Result<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(&server.certificate)?;
    Ok(builder.with_single_cert(vec![certificate], PrivateKeyDer::from_pem_file(&server.key)?)?)
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, upstream: String) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, upstream) = (acceptor.clone(), upstream.clone());
        // A broken connection is the client's concern.
        tokio::spawn(async move {
            let mut outside = acceptor.accept(stream).await?;
            let mut inside = TcpStream::connect(upstream).await?;
            copy_bidirectional(&mut outside, &mut inside).await
        });
    }
}
