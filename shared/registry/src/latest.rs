//! The latest schema of a subject, or the last known one while the registry is down.

use std::sync::Arc;

use moka::future::Cache;

use super::client::Client;
use super::store::SchemaStore;
use super::weighed::Weighed;
use super::{RegisteredSchema, RegistryError, Wanted};

/// Finds the latest schemas of subjects.
pub(super) struct Latest {
    client: Arc<Client>,
    store: Arc<SchemaStore>,
    /// The latest schema of each subject, each kept for `schema_registry.refresh`.
    latest: Cache<String, RegisteredSchema>,
    /// The last known schema of each subject, for use while the registry is down.
    pub(super) last_known: Cache<String, RegisteredSchema>,
}

impl Latest {
    /// Creates the search with empty caches, with requests by `client`.
    pub(super) fn new(config: &config::SchemaRegistry, client: &Arc<Client>, store: &Arc<SchemaStore>) -> Self {
        let weighed = Weighed::new(config);
        let latest = weighed.cache().time_to_live(config.refresh).build();
        let last_known = weighed.cache().build();
        store.forgets(&latest);
        store.forgets(&last_known);
        Self { client: Arc::clone(client), store: Arc::clone(store), latest, last_known }
    }

    /// Answers [`SchemaRegistry::latest`](super::SchemaRegistry::latest).
    pub(super) async fn get(&self, subject: &str) -> Result<RegisteredSchema, RegistryError> {
        if let Some(latest) = self.latest.get(subject).await {
            return Ok(latest);
        }
        let wanted = Wanted::Subject(subject.to_owned());
        if let Some(error) = self.store.absent.known(&wanted).await {
            return Err(error);
        }
        let found = self.latest.try_get_with_by_ref(subject, Box::pin(self.refresh(subject))).await;
        match found {
            Ok(latest) => Ok(latest),
            Err(error) => Err(self.store.note_missing(wanted, &error).await),
        }
    }

    /// Forgets the latest schema of `subject`, and that it has none.
    pub(super) async fn forget(&self, subject: &str) {
        self.latest.invalidate(subject).await;
        self.store.absent.forget(&Wanted::Subject(subject.to_owned())).await;
    }

    /// Requests the latest schema of `subject`. While the registry is down, the last known schema counts as fresh, so
    /// the registry gets no more requests than usual.
    async fn refresh(&self, subject: &str) -> Result<RegisteredSchema, RegistryError> {
        match self.client.latest(subject).await {
            Ok(found) => {
                self.store.answered(Some(subject), &found).await;
                self.note_latest(subject, &found.registered).await;
                Ok(found.registered)
            }
            Err(error @ RegistryError::Unavailable { .. }) => self.last_known(subject, error).await,
            Err(error) => {
                self.store.forget_used().await;
                Err(error)
            }
        }
    }

    /// Returns the last known schema of `subject`, after the registry answered with `error`.
    async fn last_known(&self, subject: &str, error: RegistryError) -> Result<RegisteredSchema, RegistryError> {
        if let Some(known) = self.last_known.get(subject).await {
            tracing::warn!(subject, schema_id = known.id.0, %error, "Using the latest schema that is in memory.");
            return Ok(known);
        }
        let Some(disk_cache) = &self.store.disk_cache else { return Err(error) };
        let Some(known) = disk_cache.latest(subject).await else { return Err(error) };
        tracing::warn!(subject, schema_id = known.id.0, %error, "Using the latest schema that is cached on disk.");
        self.note_latest(subject, &known).await;
        Ok(known)
    }

    async fn note_latest(&self, subject: &str, latest: &RegisteredSchema) {
        self.last_known.insert(subject.to_owned(), latest.clone()).await;
        self.store.keep(latest).await;
    }
}
