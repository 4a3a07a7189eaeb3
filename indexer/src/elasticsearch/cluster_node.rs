//! One node of the cluster: its connections, compression, and errors.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use bytes::Bytes;
use elasticsearch::auth::Credentials;
use elasticsearch::cert::{Certificate, CertificateValidation};
use elasticsearch::http::headers::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use elasticsearch::http::transport::{SingleNodeConnectionPool, Transport, TransportBuilder};
use elasticsearch::http::{Url, response};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::address;
use super::exchange::{Request, SendError, ServerAnswer};
use super::gzip::Gzip;
use super::settings_error::SettingsError;

/// The size in bytes from which compressing a body is worthwhile.
const WORTH_COMPRESSING: usize = 1_024;
/// The compression level. A bulk body shrinks to about a sixth at the fastest level. The default level takes four
/// times as long to make it an eighth smaller.
const LEVEL: Compression = Compression::fast();

/// The header that Elasticsearch 7.14 and later send with every answer.
const PRODUCT: (&str, &str) = ("x-elastic-product", "Elasticsearch");

/// Sends requests to one node of the cluster, with connections of its own.
pub(super) struct ClusterNode {
    pub(super) url: Url,
    /// The node's address, or that of the proxy before it.
    connects_to: Url,
    proxy: Option<Url>,
    /// The connections. Replaced when other authorities count.
    transport: ArcSwap<Transport>,
    compress: bool,
    gzip: Gzip,
}

impl ClusterNode {
    /// Creates the node at `url`. It connects on first use.
    ///
    /// # Errors
    /// [`SettingsError`], if the CA certificates or the HTTP client cannot be used.
    pub(super) fn new(
        url: Url,
        compression: crate::config::Compression,
        authorities: Option<&[u8]>,
        proxy: Option<Url>,
    ) -> Result<Self, SettingsError> {
        let transport = ArcSwap::from_pointee(transport(&url, proxy.as_ref(), authorities)?);
        let compress = match compression {
            crate::config::Compression::Auto => !address::is_loopback(&url),
            crate::config::Compression::Gzip => true,
            crate::config::Compression::None => false,
        };
        let connects_to = proxy.clone().or_else(|| address::proxy_of_environment(&url)).unwrap_or_else(|| url.clone());
        Ok(Self { url, connects_to, proxy, transport, compress, gzip: Gzip::default() })
    }

    /// Sends later requests with `credentials`.
    pub(super) fn set_auth(&self, credentials: Credentials) {
        self.transport.load().set_auth(credentials);
    }

    /// Accepts the `authorities` of this PEM text from now on, on new connections with `credentials`. Requests in
    /// flight keep theirs.
    ///
    /// # Errors
    /// [`SettingsError`], if the certificates cannot be used. Those before stay in use.
    pub(super) fn trust(&self, authorities: &[u8], credentials: Option<Credentials>) -> Result<(), SettingsError> {
        let transport = transport(&self.url, self.proxy.as_ref(), Some(authorities))?;
        if let Some(credentials) = credentials {
            transport.set_auth(credentials);
        }
        self.transport.store(Arc::new(transport));
        Ok(())
    }

    /// Opens a connection and closes it again. The crate has no time-out for connecting, and an unreachable host
    /// would take the time of a whole request.
    pub(super) async fn try_to_connect(&self, timeout: Duration) -> Result<(), SendError> {
        let host = self.connects_to.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = self.connects_to.port_or_known_default().unwrap_or(9200);
        match tokio::time::timeout(timeout, tokio::net::TcpStream::connect((host, port))).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.broken(error.to_string())),
            Err(_) => Err(self.broken(format!("no connection within {timeout:?} (elasticsearch.connect_timeout)"))),
        }
    }

    /// Sends `request` once. Returns `None` without reading the body if the answer announces more than `max_bytes`.
    ///
    /// If a compressed request is answered 400 or 415, sends it again uncompressed, as long as compression may be the
    /// reason. Nothing of a request that is answered like this was carried out.
    ///
    /// # Errors
    /// [`SendError`], if there is no answer.
    pub(super) async fn send(
        &self,
        request: &Request<'_>,
        timeout: Duration,
        max_bytes: usize,
    ) -> Result<Option<ServerAnswer>, SendError> {
        let is_compressed = self.compress && request.body.len() >= WORTH_COMPRESSING && self.gzip.is_usable();
        let answer = self.send_as(request, is_compressed, timeout, max_bytes).await?;
        let is_refused = answer.as_ref().is_some_and(|answer| matches!(answer.status, 400 | 415));
        if !is_compressed || !is_refused || !self.gzip.is_suspect(Instant::now()) {
            return Ok(answer);
        }
        let uncompressed = self.send_as(request, false, timeout, max_bytes).await?;
        self.note_uncompressed(uncompressed.as_ref());
        Ok(uncompressed)
    }

    async fn send_as(
        &self,
        request: &Request<'_>,
        is_compressed: bool,
        timeout: Duration,
        max_bytes: usize,
    ) -> Result<Option<ServerAnswer>, SendError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(request.content_type));
        let mut body = request.body.clone();
        if is_compressed {
            body = self.compressed(body).await?;
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if !self.compress {
            // The crate requests gzip by default. Between processes of one machine that only costs CPU.
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        let body = (!body.is_empty()).then_some(body);
        let transport = self.transport.load_full();
        let answer = transport
            .send(request.method, request.path, headers, Some(request.query), body, Some(timeout))
            .await
            .map_err(|error| self.failure(&error, timeout))?;
        if let Some(elsewhere) = self.redirected(request.path, answer.url()) {
            return Err(self.broken(elsewhere));
        }
        if answer.content_length().is_some_and(|length| length > max_bytes as u64) {
            return Ok(None);
        }
        self.read(answer, timeout).await.map(Some)
    }

    /// Notes the `answer` to an uncompressed request that was refused compressed. Logs once that compression is the
    /// reason.
    fn note_uncompressed(&self, answer: Option<&ServerAnswer>) {
        let is_accepted = match answer.map(|answer| answer.status) {
            Some(400 | 415) => false,
            Some(status) if status < 300 => true,
            // Overload, or an answer too long to read, says nothing about compression.
            Some(_) | None => return,
        };
        if self.gzip.note(is_accepted, Instant::now()) {
            tracing::warn!(
                node = %self.url,
                "A compressed request was refused, and the same request was accepted uncompressed: this node gets no \
                 compressed requests until the indexer is restarted. Check whether a proxy drops the header \
                 Content-Encoding, or set elasticsearch.compression to none."
            );
        }
    }

    /// Returns an error text if the answer to a request of `path` comes from another `url`. The client follows
    /// redirects with another method and without credentials, so the answer belongs to another request.
    fn redirected(&self, path: &str, url: &Url) -> Option<String> {
        let mut base = self.url.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let sent_to = base.join(path.trim_start_matches('/')).ok()?;
        let is_there = sent_to.origin() == url.origin() && sent_to.path() == url.path();
        let origin = url.origin().ascii_serialization();
        (!is_there).then(|| {
            format!("it redirects {path} to {origin}{}; redirects are not followed: set elasticsearch.url", url.path())
        })
    }

    async fn read(&self, answer: response::Response, timeout: Duration) -> Result<ServerAnswer, SendError> {
        let status = answer.status_code().as_u16();
        let is_elasticsearch = answer.headers().get(PRODUCT.0).is_some_and(|name| name == PRODUCT.1);
        let body = answer.bytes().await.map_err(|error| self.failure(&error, timeout))?;
        Ok(ServerAnswer { status, body, is_elasticsearch })
    }

    /// Compresses `body` with gzip, outside the threads that serve connections.
    async fn compressed(&self, body: Bytes) -> Result<Bytes, SendError> {
        let work = move || {
            let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), LEVEL);
            encoder.write_all(&body)?;
            encoder.finish().map(Bytes::from)
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(error)) => Err(self.broken(format!("the body could not be compressed: {error}"))),
            Err(error) => Err(self.broken(format!("the body could not be compressed: {error}"))),
        }
    }

    fn failure(&self, error: &elasticsearch::Error, timeout: Duration) -> SendError {
        if error.is_timeout() {
            return SendError::TimedOut { node: self.url.to_string(), timeout };
        }
        // The innermost cause says what happened; the outer ones only repeat the address.
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        self.broken(cause.to_string())
    }

    fn broken(&self, reason: String) -> SendError {
        SendError::Connection { node: self.url.to_string(), reason }
    }
}

/// Returns connections to the node at `url`, which has a certificate of a public authority or of one of `authorities`.
fn transport(url: &Url, proxy: Option<&Url>, authorities: Option<&[u8]>) -> Result<Transport, SettingsError> {
    let builder = TransportBuilder::new(SingleNodeConnectionPool::new(url.clone()));
    // Without a configured proxy, the client reads the environment. The proxy's user is part of its address.
    let mut builder = match proxy {
        None => builder,
        Some(proxy) => builder.proxy(proxy.clone(), None, None),
    };
    if let Some(pem) = authorities {
        let certificates = Certificate::from_pem(pem).map_err(|error| SettingsError::CaFile(error.to_string()))?;
        builder = builder.cert_validation(CertificateValidation::Full(certificates));
    }
    builder.build().map_err(|error| SettingsError::Client(error.to_string()))
}

#[cfg(test)]
mod tests;
