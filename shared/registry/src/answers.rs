//! Updates memory and disk after an answer of the registry, whatever the request was.
//!
//! An id is believed to stand for one schema for ever. A registry that was emptied, or restored from an old backup, gives
//! the ids that it has forgotten to other schemas. Nothing tells that, so each answer is compared with what is known.

use std::collections::HashMap;
use std::sync::Arc;

use super::client::FoundSchema;
use super::disk_cache::DiskCache;
use super::{Inner, RegisteredSchema, RegistryError, Wanted};

impl Inner {
    /// Stores `found`, which the registry returned, as the latest schema of `subject` if one is named.
    pub(super) async fn answered(&self, subject: Option<&str>, found: &FoundSchema) {
        let RegisteredSchema { id, schema } = &found.registered;
        self.absent.seen(*id);
        self.forget_used().await;
        let known = self.hot.load().get(id).cloned();
        if known.is_some_and(|known| known.meaning() != schema.meaning()) {
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

    /// Forgets all schemas in memory, so that they are requested again. What is stored now counts as new.
    fn forget_all(&self) {
        self.hot.store(Arc::default());
        self.by_id.invalidate_all();
        self.latest.invalidate_all();
        self.last_known.invalidate_all();
        self.versions.forget_all();
        self.owners.forget_all();
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
