//! The client: this folder is the only place that uses the `elasticsearch` crate.
//!
//! The crate sends a request to a node and gives its answer. What it lacks is here: which node (`nodes`), credentials
//! that change while it runs (`credentials`), time-outs, and compression at a level that is worth its price.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

pub use elasticsearch::http::Method;

use crate::elasticsearch::server::Server;
use cluster_node::ClusterNode;
use credentials::Credentials;
pub use exchange::{Request, SendError, ServerAnswer};
use nodes::Nodes;
pub use settings_error::SettingsError;

mod address;
mod cluster_node;
mod credentials;
pub(crate) mod errors;
mod exchange;
mod nodes;
pub mod server;
mod settings_error;

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

impl Client {
    /// A client with the settings of `elasticsearch`. It connects when it is used.
    ///
    /// # Errors
    /// [`SettingsError`], naming the key whose value cannot be used.
    pub fn new(settings: &crate::config::Elasticsearch) -> Result<Self, SettingsError> {
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
            node.set_auth(changed.clone());
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
