//! Stores the schemas in memory and on disk, and what the registry does not have. Every answer of the registry updates
//! them, whatever the request was.
//!
//! An id counts as that of one schema permanently. But a registry that was emptied, or restored from an old backup,
//! gives forgotten ids to other schemas, and nothing reports it. Therefore each answer is compared with the stored
//! schemas.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use moka::future::Cache;

use super::absent::Absent;
use super::client::FoundSchema;
use super::disk_cache::DiskCache;
use super::weighed::Weighed;
use super::{RegisteredSchema, RegistryError, Wanted};
use crate::wire::SchemaId;
use avro::Schema;

/// Stores the answers of the registry.
pub(super) struct SchemaStore {
    weighed: Weighed,
    /// The schemas for [`SchemaStore::cached`], read without a lock. Copied for each new schema, which is rare.
    hot: ArcSwap<HashMap<SchemaId, Arc<Schema>>>,
    /// The schemas by id, for concurrent requests.
    pub(super) by_id: Cache<SchemaId, Arc<Schema>>,
    /// What the registry does not have, or has only in an unusable form.
    pub(super) absent: Absent,
    /// The schemas known before the process started, for use while the registry is down.
    pub(super) disk_cache: Option<DiskCache>,
    /// Each empties a cache of another part.
    forgetting: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
    /// How often all schemas were forgotten.
    forgotten: AtomicU64,
}

impl SchemaStore {
    /// Creates the store of the registry at the addresses `url`. Only the disk cache has schemas already.
    pub(super) fn new(config: &config::SchemaRegistry, url: &str) -> Self {
        let weighed = Weighed::new(config);
        Self {
            weighed,
            hot: ArcSwap::default(),
            by_id: weighed.cache().build(),
            absent: Absent::new(config, config.cache_capacity.max(1)),
            disk_cache: DiskCache::new(config, url),
            forgetting: Mutex::default(),
            forgotten: AtomicU64::new(0),
        }
    }

    /// Returns the schema of `id` if it is in memory. Never waits.
    pub(super) fn cached(&self, id: SchemaId) -> Option<Arc<Schema>> {
        self.hot.load().get(&id).cloned()
    }

    /// Returns how many schemas [`SchemaStore::cached`] has.
    pub(super) fn cached_count(&self) -> usize {
        self.hot.load().len()
    }

    /// Keeps `found` in memory.
    pub(super) async fn keep(&self, found: &RegisteredSchema) {
        self.by_id.insert(found.id, Arc::clone(&found.schema)).await;
        self.keep_hot(found.id, &found.schema);
    }

    /// Adds `schema` to those that [`SchemaStore::cached`] returns. If there is no more room, forgets all others:
    /// those in use come back from `by_id`, without a request.
    pub(super) fn keep_hot(&self, id: SchemaId, schema: &Arc<Schema>) {
        self.hot.rcu(|hot| {
            let has_room = self.weighed.have_room(hot.values(), schema);
            let mut new = if has_room { HashMap::clone(hot) } else { HashMap::new() };
            new.insert(id, Arc::clone(schema));
            new
        });
    }

    /// Stores `found`, which the registry returned, as the latest schema of `subject` if one is named.
    pub(super) async fn answered(&self, subject: Option<&str>, found: &FoundSchema) {
        let RegisteredSchema { id, schema } = &found.registered;
        self.absent.seen(*id);
        self.forget_used().await;
        if self.cached(*id).is_some_and(|known| known.meaning() != schema.meaning()) {
            tracing::error!(
                schema_id = id.0,
                "The schema registry has given a known schema id to another schema: was it emptied or restored? \
                 Forgetting all schemas. Records that were framed with the id before can no longer be read."
            );
            self.forget_all();
        }
        if let Some(disk_cache) = &self.disk_cache {
            disk_cache.keep(subject, found).await;
        }
    }

    /// Forgets the schemas that were taken from disk, so that they are requested again: the registry is back and may
    /// have newer ones.
    pub(super) async fn forget_used(&self) {
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

    /// Returns how often all schemas were forgotten because the registry gave a known id to another schema.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::Relaxed)
    }

    /// Makes `cache` part of what is forgotten if the registry gives a known id to another schema.
    pub(super) fn forgets<K, V>(&self, cache: &Cache<K, V>)
    where
        K: Hash + Eq + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        let cache = cache.clone();
        let forget = Box::new(move || cache.invalidate_all());
        self.forgetting.lock().unwrap_or_else(PoisonError::into_inner).push(forget);
    }

    /// Forgets all schemas in memory, so that they are requested again. What is stored now counts as new.
    fn forget_all(&self) {
        self.hot.store(Arc::default());
        self.by_id.invalidate_all();
        for forget in self.forgetting.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            forget();
        }
        self.forgotten.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that the registry answered `wanted` with `error`. Returns the error to report. Removes a schema from disk
    /// if it is definitely missing.
    pub(super) async fn note_missing(&self, wanted: Wanted, error: &RegistryError) -> RegistryError {
        let error = self.absent.note(wanted.clone(), error).await;
        if let (Some(disk_cache), RegistryError::NotFound { .. } | RegistryError::Unusable { .. }) =
            (&self.disk_cache, &error)
        {
            match &wanted {
                Wanted::Id(id) => disk_cache.forget_id(*id).await,
                Wanted::Subject(subject) => disk_cache.forget_latest(subject).await,
                Wanted::Version(..) | Wanted::Owner(_) | Wanted::Fingerprint(..) | Wanted::Meaning(..) => {}
            }
        }
        error
    }
}
