//! The client. Only this folder uses the `elasticsearch` crate.
//!
//! The crate sends a request to a node and returns the answer. This folder adds the choice of the node (`nodes`),
//! credentials and authorities that change at run time (`credentials`, `authorities`), time-outs, and compression at a
//! level that is worth its cost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

pub use elasticsearch::http::Method;

use crate::elasticsearch::server::Server;
use authorities::Authorities;
use cluster_node::ClusterNode;
use credentials::Credentials;
pub use exchange::{Request, SendError, ServerAnswer};
use nodes::Nodes;
pub use settings_error::SettingsError;

mod address;
mod authorities;
mod cluster_node;
mod credentials;
pub(crate) mod errors;
mod exchange;
mod gzip;
mod nodes;
pub mod server;
mod settings_error;

/// How often a file with credentials or authorities is checked.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Sends requests to one cluster.
pub struct Client {
    nodes: Vec<ClusterNode>,
    states: Mutex<Nodes>,
    /// The server's kind and version, once known.
    server: ArcSwapOption<Server>,
    credentials: Credentials,
    /// The file with authorities; `None` if only public ones are accepted.
    authorities: Option<Authorities>,
    request_timeout: Duration,
    connect_timeout: Duration,
}

impl Client {
    /// Creates a client with the settings of `elasticsearch`. It connects on first use.
    ///
    /// # Errors
    /// [`SettingsError`], naming the key whose value cannot be used.
    pub fn new(settings: &crate::config::Elasticsearch) -> Result<Self, SettingsError> {
        let (urls, user) = address::parse(&settings.url)?;
        let credentials = Credentials::new(&settings.auth, user)?;
        let authorities = settings.ca_file.as_deref().map(|path| Authorities::read(path, now())).transpose()?;
        let pem = authorities.as_ref().map(Authorities::pem);
        let wrong = || SettingsError::Client("elasticsearch.proxy: it is not an address".to_owned());
        let proxy = settings.proxy.as_deref().map(|text| address::proxy(text).ok_or_else(wrong)).transpose()?;
        let mut nodes = Vec::with_capacity(urls.len());
        for url in urls {
            let pem = pem.as_deref().map(Vec::as_slice);
            nodes.push(ClusterNode::new(url, settings.compression, pem, proxy.clone())?);
        }
        let client = Self {
            states: Mutex::new(Nodes::new(nodes.len())),
            server: ArcSwapOption::empty(),
            nodes,
            credentials,
            authorities,
            request_timeout: settings.request_timeout,
            connect_timeout: settings.connect_timeout,
        };
        client.renew_credentials(true);
        Ok(client)
    }

    /// Returns the server as [`identify`](crate::elasticsearch::server::identify) last found it, or `None` before
    /// that.
    pub fn server(&self) -> Option<Server> {
        self.server.load().as_deref().copied()
    }

    /// Returns whether the cluster is `OpenSearch`, as far as it is known.
    pub fn is_opensearch(&self) -> bool {
        self.server().is_some_and(Server::is_opensearch)
    }

    /// Stores the server's kind and version.
    pub(crate) fn set_server(&self, server: Server) {
        self.server.store(Some(Arc::new(server)));
    }

    /// Sends `request` once, to a node without recent failures. Returns an answer of any status.
    ///
    /// # Errors
    /// [`SendError`]. It is then unknown whether Elasticsearch carried the request out. The next call prefers another
    /// node.
    pub async fn send(&self, request: &Request<'_>) -> Result<ServerAnswer, SendError> {
        // No body exceeds this limit, so there is always an answer.
        Ok(self.send_within(request, usize::MAX).await?.unwrap_or_default())
    }

    /// Works like [`Client::send`], but returns `None` without reading the body if the answer announces more than
    /// `max_bytes`.
    ///
    /// # Errors
    /// The same as those of [`Client::send`].
    pub async fn send_within(
        &self,
        request: &Request<'_>,
        max_bytes: usize,
    ) -> Result<Option<ServerAnswer>, SendError> {
        self.renew_credentials(false);
        self.renew_authorities();
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
            // The node has left its cluster, or a proxy's backend is gone.
            Ok(Some(ServerAnswer { status: 502..=504, .. })) | Err(_) => self.states().failed(index, now()),
            Ok(_) => self.states().succeeded(index),
        }
        outcome
    }

    /// Checks whether credentials have changed, if a check is due or `at_once`, and applies them. Returns whether
    /// they changed.
    fn renew_credentials(&self, at_once: bool) -> bool {
        let Some(changed) = self.credentials.changed(now(), at_once) else {
            return false;
        };
        for node in &self.nodes {
            node.set_auth(changed.clone());
        }
        true
    }

    /// Checks whether the authorities have changed, if a check is due, and accepts only the new ones from now on.
    fn renew_authorities(&self) {
        let Some(authorities) = &self.authorities else { return };
        authorities.renew(now(), |pem| {
            self.credentials.with_last(|last| self.nodes.iter().try_for_each(|node| node.trust(pem, last.clone())))
        });
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

/// Returns the parameter `timeout`: how long Elasticsearch may wait for a shard. It is shorter than
/// `request_timeout`, after which the client gives up and sends again.
pub(crate) fn timeout(request_timeout: Duration) -> String {
    format!("{}ms", (request_timeout.as_millis() * 5 / 6).max(1))
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
