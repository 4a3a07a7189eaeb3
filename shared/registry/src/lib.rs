//! Schemas from the schema registry, under a bounded cache.
//!
//! The calls are those of `schema_registry_converter` (`client`), to one of several addresses (`nodes`); its own cache
//! is unbounded and keeps a 404 for ever, so the caches are here: by id, the latest of a subject, what is missing
//! (`absent`), whose an id is (`owners`); and on disk (`disk_cache`). A new kind of question gets its call in `client`,
//! and here the cache that answers it.

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
use client::{Client, FoundSchema};
use disk_cache::DiskCache;
use owners::Owners;
use versions::Versions;

pub use error::{RegistryError, RegistrySetupError};
pub use measured::durations;
pub use raw_client::{RawClient, escape};

mod absent;
mod address;
mod client;
mod credentials;
mod disk_cache;
mod error;
mod folder;
mod http;
mod measured;
mod nodes;
mod owners;
mod raw_client;
mod versions;
pub mod wire;

/// A registry client that remembers what it has seen. Cheap to clone.
#[derive(Clone)]
pub struct SchemaRegistry {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    capacity: usize,
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
        let inner = Inner {
            disk_cache: DiskCache::new(config, client.url()),
            client,
            capacity: usize::try_from(capacity).unwrap_or(usize::MAX),
            hot: ArcSwap::default(),
            by_id: Cache::new(capacity),
            latest: Cache::builder().max_capacity(capacity).time_to_live(config.refresh).build(),
            last_known: Cache::new(capacity),
            absent: Absent::new(config, capacity),
            versions: Versions::new(config, capacity),
            owners: Owners::new(config, capacity),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Returns the schema of `id` if it is in memory. Never waits; for the hot path.
    pub fn cached(&self, id: SchemaId) -> Option<Arc<Schema>> {
        self.inner.hot.load().get(&id).cloned()
    }

    /// `schema_registry.patience`.
    pub fn patience(&self) -> Duration {
        self.inner.absent.patience()
    }

    /// Returns the schema of `id`, from memory or from the registry; from disk while that is down. Concurrent calls for
    /// one id make one request.
    ///
    /// # Errors
    /// [`RegistryError`]; "not found" and "unusable" are remembered for `schema_registry.negative_ttl`, "not yet" for a
    /// second, "unavailable" is not remembered.
    pub async fn by_id(&self, id: SchemaId) -> Result<Arc<Schema>, RegistryError> {
        if let Some(schema) = self.cached(id) {
            return Ok(schema);
        }
        let wanted = Wanted::Id(id);
        if let Some(error) = self.inner.absent.known(&wanted).await {
            return Err(error);
        }
        let found = self.inner.by_id.try_get_with(id, self.inner.fetch(id)).await;
        match found {
            Ok(schema) => {
                self.inner.keep_hot(id, &schema);
                Ok(schema)
            }
            Err(error) => Err(self.inner.note_missing(wanted, &error).await),
        }
    }

    /// Returns the latest schema of `subject`; at most `schema_registry.refresh` old, older only while the registry is
    /// down. Concurrent calls for one subject make one request.
    ///
    /// # Errors
    /// [`RegistryError`]: when the registry says that there is none, and when it is down and the subject was never
    /// seen.
    pub async fn latest(&self, subject: &str) -> Result<RegisteredSchema, RegistryError> {
        if let Some(latest) = self.inner.latest.get(subject).await {
            return Ok(latest);
        }
        let wanted = Wanted::Subject(subject.to_owned());
        if let Some(error) = self.inner.absent.known(&wanted).await {
            return Err(error);
        }
        let found = self.inner.latest.try_get_with_by_ref(subject, self.inner.refresh(subject)).await;
        match found {
            Ok(latest) => Ok(latest),
            Err(error) => Err(self.inner.note_missing(wanted, &error).await),
        }
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

impl Inner {
    /// Asks for the schema of `id`.
    async fn fetch(&self, id: SchemaId) -> Result<Arc<Schema>, RegistryError> {
        match self.client.by_id(id).await {
            Ok(found) => {
                self.answered(None, &found).await;
                Ok(found.registered.schema)
            }
            Err(error @ RegistryError::Unavailable { .. }) => {
                let Some(disk_cache) = &self.disk_cache else { return Err(error) };
                let Some(known) = disk_cache.by_id(id).await else { return Err(error) };
                tracing::warn!(schema_id = id.0, %error, "Using the schema that is cached on disk.");
                Ok(known.schema)
            }
            Err(error) => {
                self.forget_used().await;
                Err(error)
            }
        }
    }

    /// Asks for the latest schema of `subject`; while the registry is down, the one last known counts as fresh, so that
    /// the registry is not asked more often than when it is there.
    async fn refresh(&self, subject: &str) -> Result<RegisteredSchema, RegistryError> {
        match self.client.latest(subject).await {
            Ok(found) => {
                self.answered(Some(subject), &found).await;
                self.note_latest(subject, &found.registered).await;
                Ok(found.registered)
            }
            Err(error @ RegistryError::Unavailable { .. }) => self.last_known(subject, error).await,
            Err(error) => {
                self.forget_used().await;
                Err(error)
            }
        }
    }

    /// The latest schema of `subject` as far as it is known without the registry, which answers with `error`.
    async fn last_known(&self, subject: &str, error: RegistryError) -> Result<RegisteredSchema, RegistryError> {
        if let Some(known) = self.last_known.get(subject).await {
            tracing::warn!(subject, schema_id = known.id.0, %error, "Using the latest schema that is in memory.");
            return Ok(known);
        }
        let Some(disk_cache) = &self.disk_cache else { return Err(error) };
        let Some(known) = disk_cache.latest(subject).await else { return Err(error) };
        tracing::warn!(subject, schema_id = known.id.0, %error, "Using the latest schema that is cached on disk.");
        self.note_latest(subject, &known).await;
        Ok(known)
    }

    async fn note_latest(&self, subject: &str, latest: &RegisteredSchema) {
        self.last_known.insert(subject.to_owned(), latest.clone()).await;
        self.by_id.insert(latest.id, Arc::clone(&latest.schema)).await;
        self.keep_hot(latest.id, &latest.schema);
    }

    /// The registry gave `found`, as the latest schema of `subject` if one is named.
    async fn answered(&self, subject: Option<&str>, found: &FoundSchema) {
        self.absent.seen(found.registered.id);
        self.forget_used().await;
        if let Some(disk_cache) = &self.disk_cache {
            disk_cache.keep(subject, found).await;
        }
    }

    /// Forgets the schemas that were taken from disk, so that they are asked for again: the registry is back, and may
    /// know better.
    async fn forget_used(&self) {
        let used = self.disk_cache.as_ref().map(DiskCache::take_used).unwrap_or_default();
        if used.is_empty() {
            return;
        }
        self.hot.rcu(|hot| {
            let mut new = HashMap::clone(hot);
            new.retain(|id, _| !used.contains(id));
            new
        });
        for id in &used {
            self.by_id.invalidate(id).await;
        }
    }

    /// Makes `schema` one that [`SchemaRegistry::cached`] gives. When there is no more room all others are forgotten:
    /// what is in use comes back from `by_id`, without a request.
    fn keep_hot(&self, id: SchemaId, schema: &Arc<Schema>) {
        self.hot.rcu(|hot| {
            let mut new = if hot.len() < self.capacity { HashMap::clone(hot) } else { HashMap::new() };
            new.insert(id, Arc::clone(schema));
            new
        });
    }

    /// Notes that the registry answered so; returns what it means. What it has not for certain is not kept on disk
    /// either.
    async fn note_missing(&self, wanted: Wanted, error: &RegistryError) -> RegistryError {
        let error = self.absent.note(wanted.clone(), error).await;
        if let (Some(disk_cache), RegistryError::NotFound { .. } | RegistryError::Unusable { .. }) =
            (&self.disk_cache, &error)
        {
            match &wanted {
                Wanted::Id(id) => disk_cache.forget_id(*id).await,
                Wanted::Subject(subject) => disk_cache.forget_latest(subject).await,
                Wanted::Version(..) | Wanted::Owner(_) => {}
            }
        }
        error
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
