//! Schemas from the schema registry, in a bounded cache.
//!
//! The calls come from `schema_registry_converter` (`client`) and go to one of several addresses (`nodes`). That
//! crate's cache is unbounded and keeps a 404 forever, so this crate has its own caches. [`SchemaRegistry`] puts the
//! parts together, one for each kind of request: `by_id`, `latest`, `versions`, `look_up` (a search among the versions)
//! and `owners` (the subjects of an id). All of them update the `store`: the schemas in memory and on disk
//! (`disk_cache`), and what is missing (`absent`). A new kind of request gets its call in `client`, and a file with a
//! part that has its cache.
//!
//! Requests are boxed futures: each takes up to 9 KB, and its caller's future would have room for it although almost all
//! answers come from a cache.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus::HistogramVec;

use crate::wire::SchemaId;
use avro::{Meaning, Schema};

use by_id::ById;
use client::Client;
use latest::Latest;
use look_up::LookUp;
use owners::Owners;
use store::SchemaStore;
use versions::Versions;

pub use error::{RegistryError, RegistrySetupError};
pub use measured::durations;
pub use raw_client::{RawClient, escape};
pub use weighed::Weighed;

mod absent;
mod address;
mod by_id;
mod client;
mod credentials;
mod disk_cache;
mod error;
mod folder;
mod http;
mod latest;
mod look_up;
mod measured;
mod nodes;
mod owners;
mod raw_client;
mod store;
mod versions;
mod weighed;
pub mod wire;

/// A registry client with a cache. Cheap to clone.
#[derive(Clone)]
pub struct SchemaRegistry {
    inner: Arc<Inner>,
}

/// The parts of a client, one for each kind of request.
struct Inner {
    client: Arc<Client>,
    store: Arc<SchemaStore>,
    by_id: ById,
    latest: Arc<Latest>,
    versions: Arc<Versions>,
    look_up: LookUp,
    owners: Owners,
}

/// A schema with its id in the registry.
#[derive(Clone, Debug)]
pub struct RegisteredSchema {
    /// The id in frames.
    pub id: SchemaId,
    /// The compiled schema.
    pub schema: Arc<Schema>,
}

/// Identifies an item of the registry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Wanted {
    Id(SchemaId),
    Subject(String),
    Version(String, u32),
    /// The subjects of an id.
    Owner(SchemaId),
    /// The version of a subject with this fingerprint.
    Fingerprint(String, u64),
    /// The version of a subject that means the same.
    Meaning(String, Meaning),
}

impl SchemaRegistry {
    /// Creates a client for the registry of the config. Does not connect yet.
    ///
    /// # Errors
    /// If the URL is invalid, or a file of the config cannot be used.
    pub fn new(config: &config::SchemaRegistry) -> Result<Self, RegistrySetupError> {
        Self::with(config, Client::new(config)?)
    }

    /// Creates a client like [`SchemaRegistry::new`] that records the times of its requests in `durations`, from
    /// [`durations()`].
    ///
    /// # Errors
    /// As for [`SchemaRegistry::new`].
    pub fn measured(config: &config::SchemaRegistry, durations: HistogramVec) -> Result<Self, RegistrySetupError> {
        Self::with(config, Client::new(config)?.measured(durations))
    }

    fn with(config: &config::SchemaRegistry, client: Client) -> Result<Self, RegistrySetupError> {
        let client = Arc::new(client);
        let store = Arc::new(SchemaStore::new(config, client.url()));
        let latest = Arc::new(Latest::new(config, &client, &store));
        let versions = Arc::new(Versions::new(config, &client, &store));
        let inner = Inner {
            by_id: ById::new(&client, &store),
            look_up: LookUp::new(config, &client, &store, &latest, &versions),
            owners: Owners::new(config, &client, &store, &versions),
            client,
            store,
            latest,
            versions,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Returns `schema_registry.patience`.
    pub fn patience(&self) -> Duration {
        self.inner.store.absent.patience()
    }

    /// Returns the schema of `id` if it is in memory. Never waits, so it suits the hot path.
    pub fn cached(&self, id: SchemaId) -> Option<Arc<Schema>> {
        self.inner.store.cached(id)
    }

    /// Returns the schema of `id` from memory or from the registry, or from disk while the registry is down. Concurrent
    /// calls for one id make one request.
    ///
    /// # Errors
    /// [`RegistryError`]. "Not found" and "unusable" are remembered for `schema_registry.negative_ttl`, "not yet" for a
    /// second, and "unavailable" not at all.
    pub async fn by_id(&self, id: SchemaId) -> Result<Arc<Schema>, RegistryError> {
        self.inner.by_id.get(id).await
    }

    /// Asks the registry whether `id` still stands for the schema in memory. If not, logs it and forgets all schemas:
    /// the registry was emptied or restored, and has given the id to another one.
    pub async fn check(&self, id: SchemaId) {
        self.inner.by_id.check(id).await;
    }

    /// Returns how often all schemas were forgotten for this reason. Who keeps schemas must drop them when it changes.
    pub fn forgotten(&self) -> u64 {
        self.inner.store.forgotten()
    }

    /// Returns the schema of `id` if it is a version of one of `subjects`, even a deleted one. Otherwise does not
    /// request the schema at all.
    ///
    /// # Errors
    /// As for [`SchemaRegistry::by_id`]; also `NotFound` if the id belongs only to other subjects.
    pub async fn by_id_of(&self, id: SchemaId, subjects: &[String]) -> Result<Arc<Schema>, RegistryError> {
        self.inner.owners.ensure_owned(id, subjects).await?;
        self.by_id(id).await
    }

    /// Returns the latest schema of `subject`. It is at most `schema_registry.refresh` old, or older only while the
    /// registry is down. Concurrent calls for one subject make one request.
    ///
    /// # Errors
    /// [`RegistryError`]: if the registry has no schema, or if it is down and the subject was never seen.
    pub async fn latest(&self, subject: &str) -> Result<RegisteredSchema, RegistryError> {
        self.inner.latest.get(subject).await
    }

    /// Requests the latest schema of `subject` from the registry, even if a fresh one is known.
    ///
    /// # Errors
    /// As for [`SchemaRegistry::latest`].
    pub async fn latest_now(&self, subject: &str) -> Result<RegisteredSchema, RegistryError> {
        self.inner.latest.forget(subject).await;
        self.latest(subject).await
    }

    /// Returns the schema of `subject` in this version, from memory or from the registry. Concurrent calls for one
    /// version make one request.
    ///
    /// # Errors
    /// As for [`SchemaRegistry::by_id`].
    pub async fn by_version(&self, subject: &str, version: u32) -> Result<RegisteredSchema, RegistryError> {
        self.inner.versions.get(subject, version).await
    }

    /// Returns the numbers of the newest 100 versions of `subject`, newest first and at most a second old. Concurrent
    /// calls make one request.
    ///
    /// # Errors
    /// [`RegistryError`]: `NotFound` if the subject does not exist.
    pub async fn newest_versions(&self, subject: &str) -> Result<Arc<[u32]>, RegistryError> {
        self.inner.versions.newest(subject).await
    }

    /// Returns the newest usable version of `subject` that `fits` accepts, from memory or from the registry, or `None`
    /// if there is no such version. For when the latest version is not usable: on disk, the returned one replaces it,
    /// so that a start while the registry is down finds it. Looks at the newest 100.
    ///
    /// # Errors
    /// [`RegistryError`], if the registry cannot be asked or has no such subject.
    pub async fn last_usable(
        &self,
        subject: &str,
        fits: impl Fn(&RegisteredSchema) -> bool,
    ) -> Result<Option<RegisteredSchema>, RegistryError> {
        self.inner.versions.last_usable(subject, fits).await
    }

    /// Returns the version of `subject` whose schema has this fingerprint ([`Schema::fingerprint`]), from memory or
    /// from the registry. If several have it and mean the same, returns the newest. Looks at the newest 100.
    ///
    /// # Errors
    /// [`RegistryError`]: `NotFound` if no version has it, or the subject does not exist; before that `NotYet` for a
    /// while; `Ambiguous` if several versions have it and mean different values.
    pub async fn by_fingerprint(&self, subject: &str, fingerprint: u64) -> Result<RegisteredSchema, RegistryError> {
        self.inner.look_up.by_fingerprint(subject, fingerprint).await
    }

    /// Returns the newest version of `subject` that gives a reader the same values as `schema` ([`Schema::meaning`]),
    /// from memory or from the registry. Looks at the newest 100.
    ///
    /// # Errors
    /// [`RegistryError`]: `NotFound` if no version does, or the subject does not exist; before that `NotYet` for a
    /// while.
    pub async fn by_meaning(&self, subject: &str, schema: &Schema) -> Result<RegisteredSchema, RegistryError> {
        self.inner.look_up.by_meaning(subject, schema).await
    }

    /// Registers `schema` (its JSON text) under `subject`, and returns its id. Registering it again returns the same
    /// id.
    ///
    /// # Errors
    /// [`RegistryError`]: `Unusable` if the registry refuses the schema (not compatible, or not a schema);
    /// `Unavailable` if it accepts no schema at the moment (read-only mode).
    pub async fn register(&self, subject: &str, schema: &str) -> Result<SchemaId, RegistryError> {
        let Inner { client, store, latest, versions, look_up, .. } = &*self.inner;
        let id = client.register(subject, schema).await?;
        store.absent.seen(id);
        latest.forget(subject).await;
        versions.changed(subject).await;
        look_up.changed();
        store.absent.forget(&Wanted::Id(id)).await;
        store.absent.forget(&Wanted::Owner(id)).await;
        Ok(id)
    }
}

impl fmt::Debug for SchemaRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cached = self.inner.store.cached_count();
        f.debug_struct("SchemaRegistry").field("url", &self.inner.client.url()).field("cached", &cached).finish()
    }
}

#[cfg(test)]
mod tests;
