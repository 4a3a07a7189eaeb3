//! Looks up a version of a subject among its [`versions`](super::versions): by fingerprint, or by equal meaning.
//!
//! A fingerprint does not cover logical types, so a later version may have the same one with other values. Therefore
//! fingerprints are looked up again every `schema_registry.refresh`.

use std::sync::Arc;

use moka::future::Cache;

use super::client::Client;
use super::latest::Latest;
use super::store::SchemaStore;
use super::versions::Versions;
use super::weighed::Weighed;
use super::{RegisteredSchema, RegistryError, Wanted};
use avro::{Meaning, Schema};

/// Looks up versions by what their schemas are.
pub(super) struct LookUp {
    client: Arc<Client>,
    store: Arc<SchemaStore>,
    latest: Arc<Latest>,
    versions: Arc<Versions>,
    by_meaning: Cache<(String, Meaning), RegisteredSchema>,
    by_fingerprint: Cache<(String, u64), RegisteredSchema>,
    /// The last result for each fingerprint, for use while the registry is down.
    last_known: Cache<(String, u64), RegisteredSchema>,
}

impl LookUp {
    /// Creates the search with empty caches, among the schemas of `latest` and `versions`.
    pub(super) fn new(
        config: &config::SchemaRegistry,
        client: &Arc<Client>,
        store: &Arc<SchemaStore>,
        latest: &Arc<Latest>,
        versions: &Arc<Versions>,
    ) -> Self {
        let weighed = Weighed::new(config);
        let look_up = Self {
            client: Arc::clone(client),
            store: Arc::clone(store),
            latest: Arc::clone(latest),
            versions: Arc::clone(versions),
            by_meaning: weighed.cache().build(),
            by_fingerprint: weighed.cache().time_to_live(config.refresh).build(),
            last_known: weighed.cache().build(),
        };
        store.forgets(&look_up.by_meaning);
        store.forgets(&look_up.by_fingerprint);
        store.forgets(&look_up.last_known);
        look_up
    }

    /// Forgets the fingerprints of all subjects. Registrations from here are rare, so they may be looked up again.
    pub(super) fn changed(&self) {
        self.by_fingerprint.invalidate_all();
    }

    /// Answers [`SchemaRegistry::by_fingerprint`](super::SchemaRegistry::by_fingerprint).
    pub(super) async fn by_fingerprint(
        &self,
        subject: &str,
        fingerprint: u64,
    ) -> Result<RegisteredSchema, RegistryError> {
        let key = (subject.to_owned(), fingerprint);
        if let Some(schema) = self.by_fingerprint.get(&key).await {
            return Ok(schema);
        }
        let found =
            self.by_fingerprint.try_get_with(key.clone(), Box::pin(self.of_fingerprint(subject, fingerprint))).await;
        match found.map_err(|error| RegistryError::clone(&error)) {
            Ok(schema) => {
                self.last_known.insert(key, schema.clone()).await;
                Ok(schema)
            }
            Err(error @ RegistryError::Unavailable { .. }) => self.last_known.get(&key).await.ok_or(error),
            Err(error) => Err(self.patient(Wanted::Fingerprint(key.0, fingerprint), error).await),
        }
    }

    /// Answers [`SchemaRegistry::by_meaning`](super::SchemaRegistry::by_meaning).
    pub(super) async fn by_meaning(&self, subject: &str, schema: &Schema) -> Result<RegisteredSchema, RegistryError> {
        let key = (subject.to_owned(), schema.meaning());
        if let Some(schema) = self.by_meaning.get(&key).await {
            return Ok(schema);
        }
        match self.by_meaning.try_get_with(key, Box::pin(self.of_meaning(subject, schema))).await {
            Ok(found) => Ok(found),
            Err(error) => {
                let wanted = Wanted::Meaning(subject.to_owned(), schema.meaning());
                Err(self.patient(wanted, RegistryError::clone(&error)).await)
            }
        }
    }

    /// Returns the error to report: a node may lack a version that was registered a moment ago at another one.
    async fn patient(&self, wanted: Wanted, error: RegistryError) -> RegistryError {
        match error {
            RegistryError::NotFound { .. } => self.store.absent.note(wanted, &error).await,
            other => other,
        }
    }

    async fn of_meaning(&self, subject: &str, wanted: &Schema) -> Result<RegisteredSchema, RegistryError> {
        let is_it = |found: &RegisteredSchema| found.schema.meaning() == wanted.meaning();
        // The latest version is usually known, even while the registry is down.
        if let Ok(latest) = self.latest.get(subject).await
            && is_it(&latest)
        {
            return Ok(latest);
        }
        for version in self.versions.newest(subject).await?.iter() {
            if let Some(found) = self.versions.usable(subject, *version).await?.filter(is_it) {
                return Ok(found);
            }
        }
        Err(self.not_found(format!("version of subject {subject} that means the same")))
    }

    async fn of_fingerprint(&self, subject: &str, fingerprint: u64) -> Result<RegisteredSchema, RegistryError> {
        let mut newest: Option<RegisteredSchema> = None;
        for version in self.versions.newest(subject).await?.iter() {
            let found = self.versions.usable(subject, *version).await?;
            let Some(found) = found.filter(|found| found.schema.fingerprint() == fingerprint) else { continue };
            match &newest {
                Some(newest) if newest.schema.meaning() != found.schema.meaning() => {
                    let what = format!("the fingerprint {fingerprint:016x} in subject {subject}");
                    return Err(RegistryError::Ambiguous { url: self.client.url().to_owned(), what });
                }
                Some(_) => {}
                None => newest = Some(found),
            }
        }
        newest.ok_or_else(|| {
            self.not_found(format!("version of subject {subject} with the fingerprint {fingerprint:016x}"))
        })
    }

    fn not_found(&self, what: String) -> RegistryError {
        RegistryError::NotFound { url: self.client.url().to_owned(), what }
    }
}
