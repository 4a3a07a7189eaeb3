//! The versions of a subject: one by its number, and the one that has a fingerprint.
//!
//! A version never changes, so what was found is kept. Which versions there are may change, so their list is kept only for
//! `schema_registry.negative_ttl`: however many unknown fingerprints come in, the registry is asked for it no more often.

use std::sync::Arc;

use moka::future::Cache;

use super::{RegisteredSchema, RegistryError, SchemaRegistry, Wanted};
use crate::config;

/// How many versions of a subject are looked at, the newest first.
const MAX_VERSIONS: usize = 100;

/// What is known of the versions of all subjects.
pub(super) struct Versions {
    by_number: Cache<(String, u32), RegisteredSchema>,
    by_fingerprint: Cache<(String, u64), RegisteredSchema>,
    lists: Cache<String, Arc<[u32]>>,
}

impl Versions {
    pub(super) fn new(config: &config::SchemaRegistry, capacity: u64) -> Self {
        Self {
            by_number: Cache::new(capacity),
            by_fingerprint: Cache::new(capacity),
            lists: Cache::builder().max_capacity(capacity).time_to_live(config.negative_ttl).build(),
        }
    }

    /// Forgets which versions `subject` has.
    pub(super) async fn changed(&self, subject: &str) {
        self.lists.invalidate(subject).await;
    }
}

impl SchemaRegistry {
    /// The schema of `subject` in this version, from memory or from the registry. Concurrent calls for one make one request.
    ///
    /// # Errors
    /// As [`SchemaRegistry::by_id`].
    pub async fn by_version(&self, subject: &str, version: u32) -> Result<RegisteredSchema, RegistryError> {
        let key = (subject.to_owned(), version);
        if let Some(schema) = self.inner.versions.by_number.get(&key).await {
            return Ok(schema);
        }
        let wanted = Wanted::Version(subject.to_owned(), version);
        if let Some(error) = self.inner.missing.get(&wanted).await {
            return Err(error);
        }
        let found = self.inner.versions.by_number.try_get_with(key, self.fetch(subject, version)).await;
        match found {
            Ok(schema) => Ok(schema),
            Err(error) => Err(self.inner.note_missing(wanted, &error).await),
        }
    }

    /// The newest version of `subject` whose schema has this fingerprint ([`Schema::fingerprint`](crate::avro::Schema::fingerprint)),
    /// from memory or from the registry. Looks at the newest 100.
    ///
    /// # Errors
    /// [`RegistryError`]: `NotFound` when none has it, or there is no such subject.
    pub async fn by_fingerprint(&self, subject: &str, fingerprint: u64) -> Result<RegisteredSchema, RegistryError> {
        let key = (subject.to_owned(), fingerprint);
        if let Some(schema) = self.inner.versions.by_fingerprint.get(&key).await {
            return Ok(schema);
        }
        let found = self.inner.versions.by_fingerprint.try_get_with(key, self.search(subject, fingerprint)).await;
        found.map_err(|error| RegistryError::clone(&error))
    }

    /// Asks the registry for the latest schema of `subject`, however fresh the known one is.
    ///
    /// # Errors
    /// As [`SchemaRegistry::latest`].
    pub async fn latest_now(&self, subject: &str) -> Result<RegisteredSchema, RegistryError> {
        self.inner.latest.invalidate(subject).await;
        self.inner.missing.invalidate(&Wanted::Subject(subject.to_owned())).await;
        self.latest(subject).await
    }

    async fn fetch(&self, subject: &str, version: u32) -> Result<RegisteredSchema, RegistryError> {
        let found = self.inner.client.version(subject, version).await?;
        self.inner.answered(None, &found).await;
        let schema = found.registered;
        self.inner.by_id.insert(schema.id, Arc::clone(&schema.schema)).await;
        self.inner.keep_hot(schema.id, &schema.schema);
        Ok(schema)
    }

    async fn search(&self, subject: &str, fingerprint: u64) -> Result<RegisteredSchema, RegistryError> {
        // Known already, as a rule, and asked for even while the registry is away.
        if let Ok(latest) = self.latest(subject).await
            && latest.schema.fingerprint() == fingerprint
        {
            return Ok(latest);
        }
        let list = self.inner.versions.lists.try_get_with_by_ref(subject, self.list(subject)).await;
        let list = list.map_err(|error| RegistryError::clone(&error))?;
        for version in list.iter().take(MAX_VERSIONS) {
            match self.by_version(subject, *version).await {
                Ok(found) if found.schema.fingerprint() == fingerprint => return Ok(found),
                // Deleted meanwhile, or not Avro: another one may fit.
                Ok(_) | Err(RegistryError::NotFound { .. } | RegistryError::Unusable { .. }) => {}
                Err(error @ RegistryError::Unavailable { .. }) => return Err(error),
            }
        }
        let what = format!("version of subject {subject} with the fingerprint {fingerprint:016x}");
        Err(RegistryError::NotFound { url: self.inner.client.url().to_owned(), what })
    }

    /// The versions of `subject`, the newest first.
    async fn list(&self, subject: &str) -> Result<Arc<[u32]>, RegistryError> {
        let mut versions = self.inner.client.versions(subject).await?;
        versions.sort_unstable_by(|left, right| right.cmp(left));
        Ok(versions.into())
    }
}
