//! The versions of a subject: one by number, the newest usable one, and the list of them.
//!
//! A version never changes, so it is cached once found. The list of versions may change, so it is cached for only a
//! second; even many unknown fingerprints cause no more requests than that.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use super::client::Client;
use super::store::SchemaStore;
use super::weighed::Weighed;
use super::{RegisteredSchema, RegistryError, Wanted};

/// How many versions of a subject to look at, newest first.
const MAX_VERSIONS: usize = 100;

/// The longest time that a list of versions counts as complete, since a new version may be registered at any moment.
const LIST_BELIEVED: Duration = Duration::from_secs(1);

/// Finds the versions of subjects.
pub(super) struct Versions {
    client: Arc<Client>,
    store: Arc<SchemaStore>,
    by_number: Cache<(String, u32), RegisteredSchema>,
    lists: Cache<String, Arc<[u32]>>,
}

impl Versions {
    /// Creates the search with empty caches, with requests by `client`.
    pub(super) fn new(config: &config::SchemaRegistry, client: &Arc<Client>, store: &Arc<SchemaStore>) -> Self {
        let weighed = Weighed::new(config);
        let Weighed { capacity } = weighed;
        let by_number = weighed.cache().build();
        store.forgets(&by_number);
        Self {
            client: Arc::clone(client),
            store: Arc::clone(store),
            by_number,
            lists: Cache::builder().max_capacity(capacity).time_to_live(config.negative_ttl.min(LIST_BELIEVED)).build(),
        }
    }

    /// Forgets which versions `subject` has.
    pub(super) async fn changed(&self, subject: &str) {
        self.lists.invalidate(subject).await;
    }

    /// Answers [`SchemaRegistry::by_version`](super::SchemaRegistry::by_version).
    pub(super) async fn get(&self, subject: &str, version: u32) -> Result<RegisteredSchema, RegistryError> {
        let key = (subject.to_owned(), version);
        if let Some(schema) = self.by_number.get(&key).await {
            return Ok(schema);
        }
        let wanted = Wanted::Version(subject.to_owned(), version);
        if let Some(error) = self.store.absent.known(&wanted).await {
            return Err(error);
        }
        let found = self.by_number.try_get_with(key, Box::pin(self.fetch(subject, version))).await;
        match found {
            Ok(schema) => Ok(schema),
            Err(error) => Err(self.store.absent.note(wanted, &error).await),
        }
    }

    /// Answers [`SchemaRegistry::last_usable`](super::SchemaRegistry::last_usable).
    pub(super) async fn last_usable(
        &self,
        subject: &str,
        fits: impl Fn(&RegisteredSchema) -> bool,
    ) -> Result<Option<RegisteredSchema>, RegistryError> {
        for version in self.newest(subject).await?.iter() {
            let Some(found) = self.usable(subject, *version).await?.filter(|found| fits(found)) else { continue };
            if let Some(disk_cache) = &self.store.disk_cache {
                disk_cache.keep_as_latest(subject, found.id).await;
            }
            return Ok(Some(found));
        }
        Ok(None)
    }

    async fn fetch(&self, subject: &str, version: u32) -> Result<RegisteredSchema, RegistryError> {
        let found = self.client.version(subject, version).await?;
        self.store.answered(None, &found).await;
        let schema = found.registered;
        self.store.keep(&schema).await;
        Ok(schema)
    }

    /// Returns the schema of `subject` in this version, or `None` if it was deleted meanwhile or is not usable as Avro:
    /// another version may fit.
    pub(super) async fn usable(&self, subject: &str, version: u32) -> Result<Option<RegisteredSchema>, RegistryError> {
        match self.get(subject, version).await {
            Ok(found) => Ok(Some(found)),
            Err(error @ RegistryError::Unavailable { .. }) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Answers [`SchemaRegistry::newest_versions`](super::SchemaRegistry::newest_versions).
    pub(super) async fn newest(&self, subject: &str) -> Result<Arc<[u32]>, RegistryError> {
        let list = self.lists.try_get_with_by_ref(subject, Box::pin(self.list(subject))).await;
        list.map_err(|error| RegistryError::clone(&error))
    }

    /// Returns the versions of `subject`, newest first.
    async fn list(&self, subject: &str) -> Result<Arc<[u32]>, RegistryError> {
        let mut versions = self.client.versions(subject).await?;
        versions.sort_unstable_by(|left, right| right.cmp(left));
        versions.truncate(MAX_VERSIONS);
        Ok(versions.into())
    }
}
