//! The versions of a subject: one by number, the newest usable one, and the caches for them.
//!
//! A version never changes, so it is cached once found. The list of versions may change, so it is cached for only a
//! second; even many unknown fingerprints cause no more requests than that. A fingerprint does not cover logical types,
//! so a later version may have the same one with other values. Therefore fingerprints are looked up again every
//! `schema_registry.refresh`.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use super::weighed::Weighed;
use super::{RegisteredSchema, RegistryError, SchemaRegistry, Wanted};
use avro::Meaning;

/// How many versions of a subject to look at, newest first.
const MAX_VERSIONS: usize = 100;

/// The longest time that a list of versions is believed, since a new version may be registered at any moment.
const LIST_BELIEVED: Duration = Duration::from_secs(1);

/// Caches the versions of all subjects.
pub(super) struct Versions {
    by_number: Cache<(String, u32), RegisteredSchema>,
    pub(super) by_meaning: Cache<(String, Meaning), RegisteredSchema>,
    pub(super) by_fingerprint: Cache<(String, u64), RegisteredSchema>,
    /// The last result for each fingerprint, for use while the registry is down.
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
        // Registrations from here are rare, so the fingerprints of all subjects may be looked up again.
        self.by_fingerprint.invalidate_all();
    }

    /// Forgets all versions.
    pub(super) fn forget_all(&self) {
        self.by_number.invalidate_all();
        self.by_meaning.invalidate_all();
        self.by_fingerprint.invalidate_all();
        self.last_known.invalidate_all();
        self.lists.invalidate_all();
    }
}

impl SchemaRegistry {
    /// Returns the schema of `subject` in this version, from memory or from the registry. Concurrent calls for one
    /// version make one request.
    ///
    /// # Errors
    /// As for [`SchemaRegistry::by_id`].
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

    /// Returns the schema of `subject` in this version, or `None` if it was deleted meanwhile or is not usable as Avro:
    /// another version may fit.
    pub(super) async fn usable(&self, subject: &str, version: u32) -> Result<Option<RegisteredSchema>, RegistryError> {
        match self.by_version(subject, version).await {
            Ok(found) => Ok(Some(found)),
            Err(error @ RegistryError::Unavailable { .. }) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Returns the numbers of the newest 100 versions of `subject`, newest first and at most a second old. Concurrent
    /// calls make one request.
    ///
    /// # Errors
    /// [`RegistryError`]: `NotFound` if the subject does not exist.
    pub async fn newest_versions(&self, subject: &str) -> Result<Arc<[u32]>, RegistryError> {
        let list = self.inner.versions.lists.try_get_with_by_ref(subject, self.list(subject)).await;
        list.map_err(|error| RegistryError::clone(&error))
    }

    /// Returns the versions of `subject`, newest first.
    async fn list(&self, subject: &str) -> Result<Arc<[u32]>, RegistryError> {
        let mut versions = self.inner.client.versions(subject).await?;
        versions.sort_unstable_by(|left, right| right.cmp(left));
        versions.truncate(MAX_VERSIONS);
        Ok(versions.into())
    }
}
