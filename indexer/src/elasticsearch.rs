//! The client: this folder is the only place that uses the `elasticsearch` crate.
//!
//! The crate sends a request to a node and gives its answer. What it lacks is here: which node (`nodes`), credentials
//! that change while it runs (`credentials`), time-outs, and compression at a level that is worth its price.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use config::ConfigError;
use elasticsearch::cert::{Certificate, CertificateValidation};
use elasticsearch::http::headers::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use elasticsearch::http::transport::{SingleNodeConnectionPool, Transport, TransportBuilder};
use elasticsearch::http::{Url, response};
use flate2::Compression;
use flate2::write::GzEncoder;

pub use elasticsearch::http::Method;

use crate::elasticsearch::server::Server;
use credentials::Credentials;
use nodes::Nodes;

mod address;
mod credentials;
pub(crate) mod errors;
mod nodes;
pub mod server;

/// Why the settings cannot be used. The message comes after "elasticsearch".
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// An address.
    #[error("url: address {number} cannot be used: {reason}")]
    Url {
        /// Which one, from 1 on. The address itself may hold a password.
        number: usize,
        /// What is wrong.
        reason: String,
    },
    /// The index's name.
    #[error("index_name: {name:?} cannot be the name of an index: {reason}")]
    IndexName {
        /// The name.
        name: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The file of the lifecycle policy.
    #[error("lifecycle: {0}")]
    Lifecycle(#[from] ConfigError),
    /// The file of authorities.
    #[error("ca_file: {0}")]
    CaFile(String),
    /// A password, key or token.
    #[error("auth.{key}: {reason}")]
    Credentials {
        /// The key of the config.
        key: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The HTTP client could not be set up.
    #[error("cannot set up the client: {0}")]
    Client(String),
}

/// A body of fewer bytes is not worth compressing.
const WORTH_COMPRESSING: usize = 1_024;
/// A bulk body shrinks to about a sixth at the fastest level already; the default level takes four times as long to
/// make it an eighth smaller.
const LEVEL: Compression = Compression::fast();

/// The header by which Elasticsearch, from 7.14 on, says that it is it, whatever the answer.
const PRODUCT: (&str, &str) = ("x-elastic-product", "Elasticsearch");

/// Characters of an answer in a message.
const MAX_SHOWN: usize = 256;

/// A client of one cluster.
pub struct Client {
    nodes: Vec<ClusterNode>,
    states: Mutex<Nodes>,
    /// What the cluster is, once it is known.
    server: ArcSwapOption<Server>,
    credentials: Credentials,
    request_timeout: Duration,
    connect_timeout: Duration,
}

/// One node, with connections of its own.
struct ClusterNode {
    url: Url,
    /// Its address, or that of the proxy on the way.
    connects_to: Url,
    transport: Transport,
    compress: bool,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// The path, without the query.
    pub path: &'a str,
    /// The query.
    pub query: &'a [(&'a str, &'a str)],
    /// The media type of the body.
    pub content_type: &'static str,
    /// The body; may be empty.
    pub body: Bytes,
}

/// An answer, of any status.
#[derive(Debug, Default)]
pub struct ServerAnswer {
    /// The status.
    pub status: u16,
    /// The body, to its end.
    pub body: Bytes,
    /// Whether Elasticsearch itself answered, as a header says.
    pub is_elasticsearch: bool,
}

impl ServerAnswer {
    /// Returns the beginning of the body, for messages.
    pub fn beginning(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(MAX_SHOWN).collect()
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Not in time.
    #[error("{node}: no answer within {timeout:?} (elasticsearch.request_timeout)")]
    TimedOut {
        /// The node's address.
        node: String,
        /// What was allowed.
        timeout: Duration,
    },
    /// No connection, or it broke.
    #[error("{node}: {reason}")]
    Connection {
        /// The node's address.
        node: String,
        /// What went wrong.
        reason: String,
    },
}

impl Client {
    /// A client with the settings of `elasticsearch`. It connects when it is used.
    ///
    /// # Errors
    /// [`SettingsError`], naming the key whose value cannot be used.
    pub fn new(settings: &config::Elasticsearch) -> Result<Self, SettingsError> {
        let (urls, user) = address::parse(&settings.url)?;
        let credentials = Credentials::new(&settings.auth, user)?;
        let authorities = settings.ca_file.as_deref().map(read_authorities).transpose()?;
        let wrong = || SettingsError::Client("elasticsearch.proxy: it is not an address".to_owned());
        let proxy = settings.proxy.as_deref().map(|text| address::proxy(text).ok_or_else(wrong)).transpose()?;
        let mut nodes = Vec::with_capacity(urls.len());
        for url in urls {
            nodes.push(ClusterNode::new(url, settings.compression, authorities.as_deref(), proxy.as_ref())?);
        }
        let client = Self {
            states: Mutex::new(Nodes::new(nodes.len())),
            server: ArcSwapOption::empty(),
            nodes,
            credentials,
            request_timeout: settings.request_timeout,
            connect_timeout: settings.connect_timeout,
        };
        client.renew_credentials(true);
        Ok(client)
    }

    /// Returns what the cluster is, as [`identify`](crate::elasticsearch::server::identify) found it last; none before
    /// that.
    pub fn server(&self) -> Option<Server> {
        self.server.load().as_deref().copied()
    }

    /// Returns whether the cluster is `OpenSearch`, as far as it is known.
    pub fn is_opensearch(&self) -> bool {
        self.server().is_some_and(Server::is_opensearch)
    }

    /// Remembers what the cluster is.
    pub(crate) fn set_server(&self, server: Server) {
        self.server.store(Some(Arc::new(server)));
    }

    /// Sends `request` to a node that seems well, once. An answer of any status is an answer.
    ///
    /// # Errors
    /// [`SendError`]; then it is not known whether Elasticsearch did what was asked. The next call prefers another
    /// node.
    pub async fn send(&self, request: &Request<'_>) -> Result<ServerAnswer, SendError> {
        // No body has more, so there is an answer.
        Ok(self.send_within(request, usize::MAX).await?.unwrap_or_default())
    }

    /// As [`Client::send`]. None when the answer says that its body has more than `max_bytes`: it is not read then.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn send_within(
        &self,
        request: &Request<'_>,
        max_bytes: usize,
    ) -> Result<Option<ServerAnswer>, SendError> {
        self.renew_credentials(false);
        let answer = self.send_to_any(request, max_bytes).await?;
        if answer.as_ref().is_some_and(|answer| answer.status == 401) && self.renew_credentials(true) {
            return self.send_to_any(request, max_bytes).await;
        }
        Ok(answer)
    }

    async fn send_to_any(&self, request: &Request<'_>, max_bytes: usize) -> Result<Option<ServerAnswer>, SendError> {
        let (index, proven) = self.states().choose(now());
        let node = &self.nodes[index];
        if !proven && let Err(error) = node.try_to_connect(self.connect_timeout).await {
            self.states().failed(index, now());
            return Err(error);
        }
        let outcome = node.send(request, self.request_timeout, max_bytes).await;
        match &outcome {
            // A node that has left its cluster, or a proxy before one that is gone.
            Ok(Some(ServerAnswer { status: 502..=504, .. })) | Err(_) => self.states().failed(index, now()),
            Ok(_) => self.states().succeeded(index),
        }
        outcome
    }

    /// Takes up credentials that have changed, if it is time to look (or at once). Returns whether there were any.
    fn renew_credentials(&self, at_once: bool) -> bool {
        let Some(changed) = self.credentials.changed(now(), at_once) else {
            return false;
        };
        for node in &self.nodes {
            node.transport.set_auth(changed.clone());
        }
        true
    }

    fn states(&self) -> MutexGuard<'_, Nodes> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let urls: Vec<&str> = self.nodes.iter().map(|node| node.url.as_str()).collect();
        f.debug_struct("Client").field("urls", &urls).finish_non_exhaustive()
    }
}

impl ClusterNode {
    fn new(
        url: Url,
        compression: config::Compression,
        authorities: Option<&[u8]>,
        proxy: Option<&Url>,
    ) -> Result<Self, SettingsError> {
        let builder = TransportBuilder::new(SingleNodeConnectionPool::new(url.clone()));
        // Without one of the config, the client looks at the environment. The user is a part of the address.
        let mut builder = match proxy {
            None => builder,
            Some(proxy) => builder.proxy(proxy.clone(), None, None),
        };
        if let Some(pem) = authorities {
            let certificates = Certificate::from_pem(pem).map_err(|error| SettingsError::CaFile(error.to_string()))?;
            builder = builder.cert_validation(CertificateValidation::Full(certificates));
        }
        let transport = builder.build().map_err(|error| SettingsError::Client(error.to_string()))?;
        let compress = match compression {
            config::Compression::Auto => !address::is_loopback(&url),
            config::Compression::Gzip => true,
            config::Compression::None => false,
        };
        let connects_to = proxy.cloned().or_else(|| address::proxy_of_environment(&url)).unwrap_or_else(|| url.clone());
        Ok(Self { url, connects_to, transport, compress })
    }

    /// Opens a connection and closes it again: the crate knows no time-out for connecting, and a host that is gone
    /// without a word would cost the time of a whole request.
    async fn try_to_connect(&self, timeout: Duration) -> Result<(), SendError> {
        let host = self.connects_to.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = self.connects_to.port_or_known_default().unwrap_or(9200);
        match tokio::time::timeout(timeout, tokio::net::TcpStream::connect((host, port))).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.broken(error.to_string())),
            Err(_) => Err(self.broken(format!("no connection within {timeout:?} (elasticsearch.connect_timeout)"))),
        }
    }

    async fn send(
        &self,
        request: &Request<'_>,
        timeout: Duration,
        max_bytes: usize,
    ) -> Result<Option<ServerAnswer>, SendError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(request.content_type));
        let mut body = request.body.clone();
        if self.compress && body.len() >= WORTH_COMPRESSING {
            body = self.compressed(body).await?;
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if !self.compress {
            // The crate asks for gzip by itself. Between processes of one machine that costs both of them CPU for
            // nothing.
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        let body = (!body.is_empty()).then_some(body);
        let answer = self
            .transport
            .send(request.method, request.path, headers, Some(request.query), body, Some(timeout))
            .await
            .map_err(|error| self.failure(&error, timeout))?;
        if answer.content_length().is_some_and(|length| length > max_bytes as u64) {
            return Ok(None);
        }
        self.read(answer, timeout).await.map(Some)
    }

    async fn read(&self, answer: response::Response, timeout: Duration) -> Result<ServerAnswer, SendError> {
        let status = answer.status_code().as_u16();
        let is_elasticsearch = answer.headers().get(PRODUCT.0).is_some_and(|name| name == PRODUCT.1);
        let body = answer.bytes().await.map_err(|error| self.failure(&error, timeout))?;
        Ok(ServerAnswer { status, body, is_elasticsearch })
    }

    /// `body` with gzip, off the threads that serve connections.
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
        // The innermost cause says what happened; the outer ones repeat the address.
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

/// Returns how long Elasticsearch may wait for a shard, as the parameter `timeout`: less than `request_timeout`, after
/// which the client has given up and sends again.
pub(crate) fn timeout(request_timeout: Duration) -> String {
    format!("{}ms", (request_timeout.as_millis() * 5 / 6).max(1))
}

fn read_authorities(path: &std::path::Path) -> Result<Vec<u8>, SettingsError> {
    std::fs::read(path).map_err(|error| SettingsError::CaFile(format!("{}: {error}", path.display())))
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
