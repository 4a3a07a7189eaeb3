//! The addresses of the registry: which one to ask, with which credentials.
//!
//! The addresses are nodes of one registry, and the first one that has the answer counts. "Not found" is not an
//! answer yet: a node replicates what was registered at the others and may be behind, so the other addresses are asked
//! too. The indexer chooses nodes of Elasticsearch by another rule, which spreads the load
//! (`indexer/src/elasticsearch/nodes.rs`).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus::HistogramVec;
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::address::{self, Address};
use super::answer::{Answer, MEDIA_TYPE};
use super::http::Http;
use super::measured;
use super::{RegistryError, RegistrySetupError};
use service::causes::with_causes;

/// How long an address that failed to answer is asked last.
const AVOID: Duration = Duration::from_secs(10);
/// The media types of answers, as Confluent's own clients ask for them.
const ACCEPTED: &str = "application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json, application/json";

pub(super) struct Nodes {
    nodes: Vec<RegistryNode>,
    urls: String,
    client: reqwest::Client,
    durations: Option<HistogramVec>,
}

struct RegistryNode {
    address: Address,
    /// When the address last failed to answer; `None` once it has answered.
    failed: Mutex<Option<Instant>>,
}

impl Nodes {
    pub(super) fn new(config: &config::SchemaRegistry) -> Result<Self, RegistrySetupError> {
        let http = Http::new(config)?;
        let (addresses, urls) = address::all(config)?;
        let nodes = addresses.into_iter().map(|address| RegistryNode { address, failed: Mutex::default() }).collect();
        let builder = http.builder().timeout(http.timeout().max(Duration::from_millis(1)));
        let client = builder.build().map_err(|error| RegistrySetupError::new("url", error))?;
        Ok(Self { urls, nodes, client, durations: None })
    }

    /// Returns the nodes with their requests measured in `durations`.
    pub(super) fn measured(self, durations: HistogramVec) -> Self {
        Self { durations: Some(durations), ..self }
    }

    /// Returns all addresses, for messages.
    pub(super) fn urls(&self) -> &str {
        &self.urls
    }

    /// Gets the JSON at `path`, which begins with `/`, from one address after another until one has it.
    ///
    /// # Errors
    /// [`RegistryError`]: "not found" if at least one address says so and none has it; "unavailable" if no address
    /// answers, with the reason of each.
    pub(super) async fn get<T: DeserializeOwned>(&self, what: &str, path: &str) -> Result<T, RegistryError> {
        self.each(what, |node| async move {
            let answer = self.send(node, what, path, |url| self.client.get(url)).await?;
            answer.read(&node.address.url, what)
        })
        .await
    }

    /// Posts `body` to `path`, which begins with `/`, at one address after another until one accepts it. Returns the
    /// JSON in the answer, or the reason if the registry accepts nothing at the moment, whatever it is.
    ///
    /// # Errors
    /// As for [`Nodes::get`].
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        what: &str,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<Result<T, String>, RegistryError> {
        self.each(what, |node| async move {
            let post = |url: String| self.client.post(url).header(CONTENT_TYPE, MEDIA_TYPE).json(body);
            let answer = self.send(node, what, path, post).await?;
            // The address works, and the others have the same mode.
            if answer.is_not_permitted() {
                return Ok(Err(answer.reason()));
            }
            answer.read(&node.address.url, what).map(Ok)
        })
        .await
    }

    /// Sends one request for `path` to `node`, as `begin` starts it for an address.
    async fn send(
        &self,
        node: &RegistryNode,
        what: &str,
        path: &str,
        begin: impl FnOnce(String) -> RequestBuilder,
    ) -> Result<Answer, RegistryError> {
        let unavailable = |error: reqwest::Error| {
            RegistryError::unavailable(&node.address.url, what, with_causes(&error.without_url()))
        };
        let request = begin(format!("{}{path}", node.address.url)).header(ACCEPT, ACCEPTED);
        let sent = node.address.credentials.authorize(request).send().await;
        Answer::of(sent.map_err(unavailable)?).await.map_err(unavailable)
    }

    async fn each<'n, T, A>(&'n self, what: &str, call: impl Fn(&'n RegistryNode) -> A) -> Result<T, RegistryError>
    where
        A: Future<Output = Result<T, RegistryError>>,
    {
        let mut failures = Vec::new();
        let mut missing = None;
        for (failed, node) in self.in_order(Instant::now()) {
            if failed.is_some() && missing.is_some() {
                // A later request includes this node again, once it is no longer avoided.
                break;
            }
            let begin = Instant::now();
            let answer = call(node).await;
            measured::observe(self.durations.as_ref(), begin.elapsed(), answer.as_ref().err());
            let error = match answer {
                Ok(answer) => {
                    node.answered();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            match error {
                RegistryError::Unavailable { reason, .. } => {
                    node.did_not_answer(&reason, self.nodes.len() > 1);
                    failures.push(if self.nodes.len() > 1 {
                        format!("{}: {reason}", node.address.url)
                    } else {
                        reason
                    });
                }
                RegistryError::NotFound { .. } => {
                    node.answered();
                    missing = Some(RegistryError::NotFound { url: self.urls.clone(), what: what.to_owned() });
                }
                error @ (RegistryError::NotYet { .. }
                | RegistryError::Unusable { .. }
                | RegistryError::Ambiguous { .. }) => {
                    node.answered();
                    return Err(error);
                }
            }
        }
        let unavailable = || RegistryError::Unavailable {
            url: self.urls.clone(),
            what: what.to_owned(),
            reason: failures.join("; "),
        };
        Err(missing.unwrap_or_else(unavailable))
    }

    /// Returns the nodes that are not avoided at `now` in the order of the config, then the failed ones with their
    /// times, oldest failure first.
    fn in_order(&self, now: Instant) -> Vec<(Option<Instant>, &RegistryNode)> {
        let mut order: Vec<(Option<Instant>, &RegistryNode)> = self
            .nodes
            .iter()
            .map(|node| (lock(&node.failed).filter(|failed| now.saturating_duration_since(*failed) < AVOID), node))
            .collect();
        order.sort_by_key(|(failed, _)| *failed);
        order
    }
}

impl RegistryNode {
    fn answered(&self) {
        let failed = lock(&self.failed).take();
        if failed.is_some() {
            tracing::info!(url = self.address.url, "The schema registry answers again.");
        }
    }

    fn did_not_answer(&self, reason: &str, has_others: bool) {
        let known = lock(&self.failed).replace(Instant::now());
        if known.is_none() && has_others {
            tracing::warn!(
                url = self.address.url,
                reason,
                "An address of the schema registry does not answer; asking the others first."
            );
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
