//! The addresses of the registry: which one to ask, with which HTTP client and credentials.
//!
//! The addresses are nodes of one registry, and the first one that has the answer counts. "Not found" is not an
//! answer yet: a node replicates what was registered at the others and may be behind, so the other addresses are asked
//! too. `schema_registry_converter` could try several addresses itself, but it always begins with the first, even if
//! that is down, and reports the error of the last. The indexer chooses nodes of Elasticsearch by another rule, which
//! spreads the load (`indexer/src/elasticsearch/nodes.rs`).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus::HistogramVec;
use reqwest::StatusCode;
use schema_registry_converter::async_impl::schema_registry::SrSettings;
use schema_registry_converter::error::SRCError;
use schema_registry_converter::schema_registry_common::RawError;
use serde::de::DeserializeOwned;

use super::address::{self, Address};
use super::credentials::fingerprint;
use super::http::Http;
use super::measured;
use super::{RegistryError, RegistrySetupError};
use service::causes::with_causes;
use service::reloaded::{Look, Reloaded};
use service::secret::Secret;

/// How long an address that failed to answer is asked last.
const AVOID: Duration = Duration::from_secs(10);

pub(super) struct Nodes {
    nodes: Vec<RegistryNode>,
    urls: String,
    http: Http,
    /// The client for requests that `schema_registry_converter` does not support.
    client: reqwest::Client,
    durations: Option<HistogramVec>,
}

struct RegistryNode {
    address: Address,
    settings: Reloaded<SrSettings>,
    /// When the address last failed to answer; `None` once it has answered.
    failed: Mutex<Option<Instant>>,
}

impl Nodes {
    pub(super) fn new(config: &config::SchemaRegistry) -> Result<Self, RegistrySetupError> {
        let http = Http::new(config)?;
        let (addresses, urls) = address::all(config)?;
        let mut nodes = Vec::new();
        for address in addresses {
            let secret = address.credentials.secret();
            let settings = build(&http, &address, secret.as_ref())?;
            let settings = Reloaded::new(settings, fingerprint(secret.as_ref()));
            nodes.push(RegistryNode { address, settings, failed: Mutex::default() });
        }
        let builder = http.builder().timeout(http.timeout().max(Duration::from_millis(1)));
        let client = builder.build().map_err(|error| RegistrySetupError::new("url", error))?;
        Ok(Self { urls, nodes, http, client, durations: None })
    }

    /// Returns the nodes with their requests measured in `durations`.
    pub(super) fn measured(self, durations: HistogramVec) -> Self {
        Self { durations: Some(durations), ..self }
    }

    /// Returns all addresses, for messages.
    pub(super) fn urls(&self) -> &str {
        &self.urls
    }

    /// Makes `call` at one address after another until one has the answer to `what`.
    ///
    /// # Errors
    /// [`RegistryError`]: "not found" if at least one address says so and none has it; "unavailable" if no address
    /// answers, with the reason of each.
    pub(super) async fn ask<T, A>(&self, what: &str, call: impl Fn(SrSettings) -> A) -> Result<T, RegistryError>
    where
        A: Future<Output = Result<T, SRCError>>,
    {
        let call = |node: &RegistryNode| {
            let (answer, url) = (call(node.settings(&self.http)), node.address.url.clone());
            async move { answer.await.map_err(|error| RegistryError::from_call(&error, &url, what)) }
        };
        self.each(what, call).await
    }

    /// Gets the JSON at `path`, which begins with `/`, from one address after another until one has it.
    ///
    /// # Errors
    /// As for [`Nodes::ask`].
    pub(super) async fn get<T: DeserializeOwned>(&self, what: &str, path: &str) -> Result<T, RegistryError> {
        self.each(what, |node| node.get(&self.client, what, path)).await
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
    /// Returns the settings with the current secret.
    fn settings(&self, http: &Http) -> SrSettings {
        let secret = self.address.credentials.secret();
        let read = || Ok((fingerprint(secret.as_ref()), secret.as_ref()));
        let looked = self.settings.look(read, |_, secret| build(http, &self.address, secret));
        if let Look::Failed { error, is_new: true } = looked {
            tracing::warn!(%error, "Cannot use the registry's new credentials; the last ones stay in use.");
        }
        SrSettings::clone(&self.settings.current())
    }

    async fn get<T: DeserializeOwned>(
        &self,
        client: &reqwest::Client,
        what: &str,
        path: &str,
    ) -> Result<T, RegistryError> {
        let unavailable = |reason: String| RegistryError::unavailable(&self.address.url, what, reason);
        let request = client.get(format!("{}{path}", self.address.url));
        let sent = self.address.credentials.authorize(request).send().await;
        let answer = sent.map_err(|error| unavailable(with_causes(&error.without_url())))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| unavailable(with_causes(&error.without_url())))?;
        if status == StatusCode::OK {
            return serde_json::from_slice(&body)
                .map_err(|error| unavailable(format!("its answer is not as expected: {error}")));
        }
        let raw: Option<RawError> = serde_json::from_slice(&body).ok();
        let reason = format!("HTTP status {status}: {}", raw.as_ref().map_or("", |raw| raw.message.as_str()));
        Err(RegistryError::from_answer(raw.map(|raw| raw.error_code), reason, &self.address.url, what))
    }

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

fn build(http: &Http, address: &Address, secret: Option<&Secret>) -> Result<SrSettings, RegistrySetupError> {
    let mut settings = SrSettings::new_builder(address.url.clone());
    settings.set_timeout(http.timeout());
    address.credentials.apply(secret, &mut settings);
    settings.build_with(http.builder()).map_err(|error| RegistrySetupError::new("url", error.error))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
