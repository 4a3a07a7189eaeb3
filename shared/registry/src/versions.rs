//! The versions of a subject: one by its number, the newest that is usable, and what is kept of all.
//!
//! A version never changes, so what was found is kept. Which versions there are may change, so their list is kept only
//! for a second: however many unknown fingerprints come in, the registry is asked for it no more often. A fingerprint
//! says nothing of logical types, so a later version may have it too and mean other values: which one it is is looked
//! up again every `schema_registry.refresh`.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use super::weighed::Weighed;
use super::{RegisteredSchema, RegistryError, SchemaRegistry, Wanted};
use avro::Meaning;

/// How many versions of a subject are looked at, the newest first.
const MAX_VERSIONS: usize = 100;

/// How long a list of versions is believed at most: a new one may be registered at any moment.
const LIST_BELIEVED: Duration = Duration::from_secs(1);

/// What is known of the versions of all subjects.
pub(super) struct Versions {
    by_number: Cache<(String, u32), RegisteredSchema>,
    pub(super) by_meaning: Cache<(String, Meaning), RegisteredSchema>,
    pub(super) by_fingerprint: Cache<(String, u64), RegisteredSchema>,
    /// What had a fingerprint when it was last looked up, for when the registry is down.
    pub(super) last_known: Cache<(String, u64), RegisteredSchema>,
    lists: Cache<String, Arc<[u32]>>,
}

impl Versions {
    pub(super) fn new(config: &config::SchemaRegistry, weighed: Weighed) -> Self {
        let Weighed { capacity } = weighed;
        Self {
            by_number: weighed.cache().build(),
            by_meaning: weighed.cache().build(),
            by_fingerprint: weighed.cache().time_to_live(config.refresh).build(),
            last_known: weighed.cache().build(),
            lists: Cache::builder().max_capacity(capacity).time_to_live(config.negative_ttl.min(LIST_BELIEVED)).build(),
        }
    }

    /// Forgets which versions `subject` has.
    pub(super) async fn changed(&self, subject: &str) {
        self.lists.invalidate(subject).await;
        // It was registered here, which happens seldom: all subjects may be looked up again.
        self.by_fingerprint.invalidate_all();
    }
}

impl SchemaRegistry {
    /// Returns the schema of `subject` in this version, from memory or from the registry. Concurrent calls for one make
    /// one request.
    ///
    /// # Errors
    /// As [`SchemaRegistry::by_id`].
    pub async fn by_version(&self, subject: &str, version: u32) -> Result<RegisteredSchema, RegistryError> {
        let key = (subject.to_owned(), version);
        if let Some(schema) = self.inner.versions.by_number.get(&key).await {
            return Ok(schema);
        }
        let wanted = Wanted::Version(subject.to_owned(), version);
        if let Some(error) = self.inner.absent.known(&wanted).await {
            return Err(error);
        }
        let found = self.inner.versions.by_number.try_get_with(key, self.fetch(subject, version)).await;
        match found {
            Ok(schema) => Ok(schema),
            Err(error) => Err(self.inner.absent.note(wanted, &error).await),
        }
    }

    /// Returns the newest version of `subject` that is usable and that `fits` accepts, from memory or from the
    /// registry; `None` if there is no such version. For when the latest one is of no use: on disk this one stands for
    /// it, so that a start while the registry is unavailable finds it. Looks at the newest 100.
    ///
    /// # Errors
    /// [`RegistryError`], when the registry cannot be asked or has no such subject.
    pub async fn last_usable(
        &self,
        subject: &str,
        fits: impl Fn(&RegisteredSchema) -> bool,
    ) -> Result<Option<RegisteredSchema>, RegistryError> {
        for version in self.newest_versions(subject).await?.iter() {
            let Some(found) = self.usable(subject, *version).await?.filter(|found| fits(found)) else { continue };
            if let Some(disk_cache) = &self.inner.disk_cache {
                disk_cache.keep_as_latest(subject, found.id).await;
            }
            return Ok(Some(found));
        }
        Ok(None)
    }

    async fn fetch(&self, subject: &str, version: u32) -> Result<RegisteredSchema, RegistryError> {
        let found = self.inner.client.version(subject, version).await?;
        self.inner.answered(None, &found).await;
        let schema = found.registered;
        self.inner.by_id.insert(schema.id, Arc::clone(&schema.schema)).await;
        self.inner.keep_hot(schema.id, &schema.schema);
        Ok(schema)
    }

    /// Returns the schema of `subject` in this version; `None` if it was deleted meanwhile, or is not Avro: another one
    /// may fit.
    pub(super) async fn usable(&self, subject: &str, version: u32) -> Result<Option<RegisteredSchema>, RegistryError> {
        match self.by_version(subject, version).await {
            Ok(found) => Ok(Some(found)),
            Err(error @ RegistryError::Unavailable { .. }) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Returns the numbers of the newest 100 versions of `subject`, the newest first, a second old at most. Concurrent
    /// calls make one request.
    ///
    /// # Errors
    /// [`RegistryError`]: `NotFound` when there is no such subject.
    pub async fn newest_versions(&self, subject: &str) -> Result<Arc<[u32]>, RegistryError> {
        let list = self.inner.versions.lists.try_get_with_by_ref(subject, self.list(subject)).await;
        list.map_err(|error| RegistryError::clone(&error))
    }

    /// Returns the versions of `subject`, the newest first.
    async fn list(&self, subject: &str) -> Result<Arc<[u32]>, RegistryError> {
        let mut versions = self.inner.client.versions(subject).await?;
        versions.sort_unstable_by(|left, right| right.cmp(left));
        versions.truncate(MAX_VERSIONS);
        Ok(versions.into())
    }
}
