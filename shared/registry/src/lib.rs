//! Schemas from the schema registry, in a bounded cache.
//!
//! The calls come from `schema_registry_converter` (`client`) and go to one of several addresses (`nodes`). That
//! crate's cache is unbounded and keeps a 404 for ever, so this crate has its own caches, one file per kind of request:
//! `by_id`, `latest`, `versions`, `look_up` (a search among the versions) and `owners` (the subjects of an id).
//! `absent` holds what is missing, and `disk_cache` what is on disk. A new kind of request gets its call in `client`,
//! and a file with its cache.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use moka::future::Cache;
use prometheus::HistogramVec;

use crate::wire::SchemaId;
use avro::{Meaning, Schema};

use absent::Absent;
use client::Client;
use disk_cache::DiskCache;
use owners::Owners;
use versions::Versions;

pub use error::{RegistryError, RegistrySetupError};
pub use measured::durations;
pub use raw_client::{RawClient, escape};
pub use weighed::Weighed;

mod absent;
mod address;
mod answers;
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
mod versions;
mod weighed;
pub mod wire;

/// A registry client with a cache. Cheap to clone.
#[derive(Clone)]
pub struct SchemaRegistry {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    weighed: Weighed,
    /// The schemas for [`SchemaRegistry::cached`], read without a lock. Copied for each new schema, which is rare.
    hot: ArcSwap<HashMap<SchemaId, Arc<Schema>>>,
    by_id: Cache<SchemaId, Arc<Schema>>,
    /// The latest schema of each subject, each kept for `schema_registry.refresh`.
    latest: Cache<String, RegisteredSchema>,
    /// The last known schema of each subject, for use while the registry is down.
    last_known: Cache<String, RegisteredSchema>,
    /// What the registry does not have, or has only in an unusable form.
    absent: Absent,
    versions: Versions,
    owners: Owners,
    /// The schemas known before the process started, for use while the registry is down.
    disk_cache: Option<DiskCache>,
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
        let capacity = config.cache_capacity.max(1);
        let weighed = Weighed::new(config);
        let inner = Inner {
            disk_cache: DiskCache::new(config, client.url()),
            client,
            weighed,
            hot: ArcSwap::default(),
            by_id: weighed.cache().build(),
            latest: weighed.cache().time_to_live(config.refresh).build(),
            last_known: weighed.cache().build(),
            absent: Absent::new(config, capacity),
            versions: Versions::new(config, weighed),
            owners: Owners::new(config, capacity),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Returns `schema_registry.patience`.
    pub fn patience(&self) -> Duration {
        self.inner.absent.patience()
    }

    /// Registers `schema` (its JSON text) under `subject`, and returns its id. Registering it again returns the same
    /// id.
    ///
    /// # Errors
    /// [`RegistryError`]: `Unusable` if the registry refuses the schema (not compatible, or not a schema).
    pub async fn register(&self, subject: &str, schema: &str) -> Result<SchemaId, RegistryError> {
        let id = self.inner.client.register(subject, schema).await?;
        self.inner.absent.seen(id);
        self.inner.latest.invalidate(subject).await;
        self.inner.versions.changed(subject).await;
        self.inner.absent.forget(&Wanted::Subject(subject.to_owned())).await;
        self.inner.absent.forget(&Wanted::Id(id)).await;
        self.inner.absent.forget(&Wanted::Owner(id)).await;
        Ok(id)
    }
}

impl fmt::Debug for SchemaRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cached = self.inner.hot.load().len();
        f.debug_struct("SchemaRegistry").field("url", &self.inner.client.url()).field("cached", &cached).finish()
    }
}

#[cfg(test)]
mod tests;
