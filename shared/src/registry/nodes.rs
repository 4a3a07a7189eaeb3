//! The addresses of the registry: which one is asked, by which HTTP client, and as whom.
//!
//! They are one registry, so the first that answers has the last word. `schema_registry_converter` could try several addresses by itself,
//! but begins with the first each time, however dead, and tries the next after a "not found" too, whose answer would then count.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use schema_registry_converter::async_impl::schema_registry::SrSettings;
use schema_registry_converter::error::SRCError;

use super::address::{self, Address};
use super::http::Http;
use super::{RegistryError, RegistrySetupError};
use crate::config;
use crate::secret::Secret;

/// How long an address that did not answer is asked only when no other one answers.
const AVOID: Duration = Duration::from_secs(10);

pub(super) struct Nodes {
    nodes: Vec<Node>,
    urls: String,
    http: Http,
}

struct Node {
    address: Address,
    settings: Mutex<Settings>,
    /// When it last did not answer; none after it did.
    failed: Mutex<Option<Instant>>,
}

/// What calls are made with, and the secret in it.
struct Settings {
    built: SrSettings,
    secret: Option<Secret>,
}

impl Nodes {
    pub(super) fn new(config: &config::SchemaRegistry) -> Result<Self, RegistrySetupError> {
        let http = Http::new(config)?;
        let (addresses, urls) = address::all(config)?;
        let mut nodes = Vec::new();
        for address in addresses {
            let settings = Mutex::new(build(&http, &address, address.credentials.secret())?);
            nodes.push(Node { address, settings, failed: Mutex::default() });
        }
        Ok(Self { urls, nodes, http })
    }

    /// All addresses, for messages.
    pub(super) fn urls(&self) -> &str {
        &self.urls
    }

    /// Makes `call` at one address after the other until one has an answer to `what`, if only that there is none.
    ///
    /// # Errors
    /// [`RegistryError`]: "unavailable" when no address answers, with the reason of each.
    pub(super) async fn ask<T, A>(&self, what: &str, call: impl Fn(SrSettings) -> A) -> Result<T, RegistryError>
    where
        A: Future<Output = Result<T, SRCError>>,
    {
        let mut failures = Vec::new();
        for node in self.in_order(Instant::now()) {
            let error = match call(node.settings(&self.http)).await {
                Ok(answer) => {
                    node.answered();
                    return Ok(answer);
                }
                Err(error) => RegistryError::from_call(&error, &node.address.url, what),
            };
            let RegistryError::Unavailable { reason, .. } = error else {
                node.answered();
                return Err(error);
            };
            node.did_not_answer(&reason, self.nodes.len() > 1);
            failures.push(if self.nodes.len() > 1 { format!("{}: {reason}", node.address.url) } else { reason });
        }
        Err(RegistryError::Unavailable { url: self.urls.clone(), what: what.to_owned(), reason: failures.join("; ") })
    }

    /// Those that are not avoided at `now` as they are in the config, then those that failed, the longest ago first.
    fn in_order(&self, now: Instant) -> Vec<&Node> {
        let mut order: Vec<(Option<Instant>, &Node)> = self
            .nodes
            .iter()
            .map(|node| (lock(&node.failed).filter(|failed| now.saturating_duration_since(*failed) < AVOID), node))
            .collect();
        order.sort_by_key(|(failed, _)| *failed);
        order.into_iter().map(|(_, node)| node).collect()
    }
}

impl Node {
    /// The settings with the secret as it is now.
    fn settings(&self, http: &Http) -> SrSettings {
        let secret = self.address.credentials.secret();
        let mut settings = lock(&self.settings);
        if secret.as_ref().map(Secret::expose) != settings.secret.as_ref().map(Secret::expose) {
            match build(http, &self.address, secret) {
                Ok(renewed) => *settings = renewed,
                Err(error) => {
                    tracing::warn!(%error, "The registry's new credentials cannot be used; the last ones stay.")
                }
            }
        }
        settings.built.clone()
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

fn build(http: &Http, address: &Address, secret: Option<Secret>) -> Result<Settings, RegistrySetupError> {
    let mut settings = SrSettings::new_builder(address.url.clone());
    settings.set_timeout(http.timeout());
    address.credentials.apply(secret.as_ref(), &mut settings);
    let built = settings.build_with(http.builder()).map_err(|error| RegistrySetupError::new("url", error.error))?;
    Ok(Settings { built, secret })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
