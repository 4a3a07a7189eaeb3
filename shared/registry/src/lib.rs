//! Schemas from the schema registry, under a bounded cache.
//!
//! The calls are those of `schema_registry_converter` (`client`), to one of several addresses (`nodes`); its own cache
//! is unbounded and keeps a 404 for ever, so the caches are here, a file for each kind of question: `by_id`,
//! `latest`, `versions` and `look_up` among them, `owners` (whose an id is). Besides, there is what is missing
//! (`absent`), and what is on disk (`disk_cache`). A new kind of question gets its call in `client`, and a file with the
//! cache that answers it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use moka::future::Cache;
use prometheus::HistogramVec;

use crate::wire::SchemaId;
use avro::Schema;

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

/// A registry client that remembers what it has seen. Cheap to clone.
#[derive(Clone)]
pub struct SchemaRegistry {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    weighed: Weighed,
    /// What [`SchemaRegistry::cached`] reads, without a lock: copied for each new schema, of which there are few.
    hot: ArcSwap<HashMap<SchemaId, Arc<Schema>>>,
    by_id: Cache<SchemaId, Arc<Schema>>,
    /// The latest schema of a subject, each for `schema_registry.refresh`.
    latest: Cache<String, RegisteredSchema>,
    /// The latest schema of a subject that was ever seen, for when the registry is down.
    last_known: Cache<String, RegisteredSchema>,
    /// What the registry has not, or not in a usable form.
    absent: Absent,
    versions: Versions,
    owners: Owners,
    /// What was seen before the process started, for when the registry is down.
    disk_cache: Option<DiskCache>,
}

/// A schema as the registry knows it.
#[derive(Clone, Debug)]
pub struct RegisteredSchema {
    /// The id that frames carry.
    pub id: SchemaId,
    /// The schema, compiled.
    pub schema: Arc<Schema>,
}

/// What the registry is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Wanted {
    Id(SchemaId),
    Subject(String),
    Version(String, u32),
    /// The subjects of an id.
    Owner(SchemaId),
}

impl SchemaRegistry {
    /// A client for the registry of the config. Connects to nothing yet.
    ///
    /// # Errors
    /// When the URL is none, or a file that the config names cannot be used.
    pub fn new(config: &config::SchemaRegistry) -> Result<Self, RegistrySetupError> {
        Self::with(config, Client::new(config)?)
    }

    /// As [`SchemaRegistry::new`]; the times of its requests go to `durations`, which [`durations()`] makes.
    ///
    /// # Errors
    /// As [`SchemaRegistry::new`].
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

    /// `schema_registry.patience`.
    pub fn patience(&self) -> Duration {
        self.inner.absent.patience()
    }

    /// Registers `schema` (its JSON text) under `subject` and gives its id; the same schema again gives the same id.
    ///
    /// # Errors
    /// [`RegistryError`]: `Unusable` when the registry refuses it (not compatible, not a schema).
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
