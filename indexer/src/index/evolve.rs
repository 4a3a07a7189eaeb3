//! Brings new fields into the template and the indices before the first document that has them.
//!
//! A field that no known schema had is added to the index that new documents go to, and to the template for all
//! future indices. An older index gets it when a document is about to be sent there
//! ([`Index::prepare`](super::Index::prepare)). So a schema without new fields costs no request, and a schema with new
//! fields costs a few, however many indices there are.
//!
//! Elasticsearch merges the fields that several indexers add to an index. It does not merge templates: each indexer
//! reads the template, adds the fields that it and the newest index know, and checks again afterwards. The last
//! writer has read an index to which all others had already added their fields, so nothing is lost.
//!
//! If an index has a field with another type, the index keeps its type. Documents that fit are indexed; the others
//! become dead letters with Elasticsearch's reason. In the template the wider type wins, so that the next index
//! accepts both.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::component_template::ComponentTemplate;
use super::creation::Creation;
use super::indices::Indices;
use super::known_fields::KnownFields;
use super::live_mappings::{self, LiveMappings};
use super::mapping::compare::{Difference, compare};
use super::requests::{RequestError, Requests};
use super::settings::IndexSettings;
use super::shadow::ShadowCheck;
use crate::config::Strategy;

/// How many times template and indices are checked: more than there are indexers that add fields at the same moment.
const MAX_ROUNDS: usize = 20;
/// For how many indices it is remembered which fields they have.
const MAX_PREPARED: usize = 10_000;

/// Brings the known fields into the template and the indices.
#[derive(Debug)]
pub(crate) struct Evolution {
    requests: Requests,
    settings: Arc<IndexSettings>,
    fields: Arc<KnownFields>,
    indices: Indices,
    mappings: LiveMappings,
    template: ComponentTemplate,
    shadow: Arc<ShadowCheck>,
    creation: Arc<Creation>,
    evolved: Mutex<Evolved>,
}

/// Which template and indices have which version of the fields.
#[derive(Debug, Default)]
struct Evolved {
    /// The version that the template and the current index have.
    version: Option<u64>,
    /// The version up to which each index has all fields, by name.
    prepared: HashMap<String, u64>,
}

impl Evolution {
    /// Creates the evolution of the indices of `settings`. Sends nothing.
    pub(super) fn new(
        requests: &Requests,
        settings: &Arc<IndexSettings>,
        fields: &Arc<KnownFields>,
        mappings: LiveMappings,
        template: ComponentTemplate,
        shadow: &Arc<ShadowCheck>,
        creation: &Arc<Creation>,
    ) -> Self {
        Self {
            requests: requests.clone(),
            settings: Arc::clone(settings),
            fields: Arc::clone(fields),
            indices: Indices::new(requests, settings),
            mappings,
            template,
            shadow: Arc::clone(shadow),
            creation: Arc::clone(creation),
            evolved: Mutex::default(),
        }
    }

    /// Returns whether the template and the current index have all fields.
    pub(super) fn is_evolved(&self) -> bool {
        let version = self.fields.version();
        self.evolved().version == Some(version)
    }

    /// Returns whether `index` has all fields.
    pub(super) fn is_prepared(&self, index: &str) -> bool {
        let version = self.fields.version();
        self.evolved().prepared.get(index) == Some(&version)
    }

    /// Forgets which indices have all fields, and returns their names.
    pub(super) fn take_prepared(&self) -> Vec<String> {
        self.evolved().prepared.drain().map(|(index, _)| index).collect()
    }

    /// Adds all known fields to the template and to the index that new documents go to, until nothing is missing.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(super) async fn evolve(&self) -> Result<(), RequestError> {
        let version = self.fields.version();
        self.evolve_to(version).await?;
        self.evolved().version = Some(version);
        Ok(())
    }

    async fn evolve_to(&self, version: u64) -> Result<(), RequestError> {
        for _ in 0..MAX_ROUNDS {
            let current = match self.current().await {
                Err(error) if error.is_denied() => {
                    self.mappings.log_unreadable(&self.settings.name, &error);
                    return Ok(());
                }
                current => current?,
            };
            let (current, in_index, live) = match current {
                Some((name, live)) => {
                    let (in_index, live) = self.mappings.complete(&name, live, true).await?;
                    (Some(name), in_index, live)
                }
                None => (None, false, None),
            };
            let in_template = self.template.add(live.as_ref()).await?;
            if !(in_index || in_template) || self.requests.is_dry_run() {
                if let Some(name) = current {
                    self.evolved().note_prepared(name, version);
                }
                return Ok(());
            }
        }
        tracing::warn!(index = self.settings.name, "Other processes changed the mapping each time it was read.");
        Ok(())
    }

    /// Returns the index that new documents go to, with its mapping.
    async fn current(&self) -> Result<Option<(String, Option<Value>)>, RequestError> {
        let Some(name) = self.indices.current().await? else { return Ok(None) };
        let live = live_mappings::read(&self.requests, &name).await?;
        Ok(Some((name, live)))
    }

    /// Adds all known fields to every index that may still take documents.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(super) async fn evolve_all(&self) -> Result<(), RequestError> {
        for name in self.indices.own().await? {
            let live = live_mappings::read(&self.requests, &name).await?;
            self.mappings.complete(&name, live, false).await?;
        }
        Ok(())
    }

    /// Adds all known fields to the older index `index`, unless it is known to have them.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(super) async fn evolve_one(&self, index: &str) -> Result<(), RequestError> {
        let version = self.fields.version();
        match live_mappings::read(&self.requests, index).await {
            Err(error) if error.is_denied() => self.mappings.log_unreadable(&self.settings.name, &error),
            // Its documents are answered the same, and placed again. It is looked at again for the next ones.
            Err(error) if error.is_block() => {
                self.mappings.log_refused(index, &error);
                return Ok(());
            }
            // Its first document would create it with the other template.
            Ok(None) if self.settings.strategy == Strategy::Time && self.shadow.is_shadowed() => {
                self.creation.make_dated(index).await?;
            }
            live => drop(self.mappings.complete(index, live?, false).await?),
        }
        self.evolved().note_prepared(index.to_owned(), version);
        Ok(())
    }

    /// Returns which known fields the template and each index lack, and which they contradict.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn differences(&self) -> Result<Vec<(String, Difference)>, RequestError> {
        let mut differences = vec![self.template.difference().await?];
        let known = self.fields.mapping();
        for index in self.indices.own().await? {
            if let Some(mapping) = live_mappings::read(&self.requests, &index).await? {
                differences.push((format!("index {index}"), compare(&known, &mapping)));
            }
        }
        Ok(differences)
    }

    fn evolved(&self) -> MutexGuard<'_, Evolved> {
        self.evolved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Evolved {
    /// Notes that `index` has all fields that were known at `version`.
    fn note_prepared(&mut self, index: String, version: u64) {
        if self.prepared.len() >= MAX_PREPARED {
            self.prepared.clear();
        }
        self.prepared.insert(index, version);
    }
}
