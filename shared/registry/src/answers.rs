//! Updates memory and disk after an answer of the registry, whatever the request was.

use std::collections::HashMap;

use super::client::FoundSchema;
use super::disk_cache::DiskCache;
use super::{Inner, RegistryError, Wanted};

impl Inner {
    /// Stores `found`, which the registry returned, as the latest schema of `subject` if one is named.
    pub(super) async fn answered(&self, subject: Option<&str>, found: &FoundSchema) {
        self.absent.seen(found.registered.id);
        self.forget_used().await;
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
