//! Schemas by id, as named in every frame.

use std::sync::Arc;

use super::client::Client;
use super::store::SchemaStore;
use super::{RegistryError, Wanted};
use crate::wire::SchemaId;
use avro::Schema;

/// Finds schemas by id.
pub(super) struct ById {
    client: Arc<Client>,
    store: Arc<SchemaStore>,
}

impl ById {
    /// Creates the search, with requests by `client`.
    pub(super) fn new(client: &Arc<Client>, store: &Arc<SchemaStore>) -> Self {
        Self { client: Arc::clone(client), store: Arc::clone(store) }
    }

    /// Answers [`SchemaRegistry::by_id`](super::SchemaRegistry::by_id).
    pub(super) async fn get(&self, id: SchemaId) -> Result<Arc<Schema>, RegistryError> {
        if let Some(schema) = self.store.cached(id) {
            return Ok(schema);
        }
        self.client.ensure_possible(id)?;
        let wanted = Wanted::Id(id);
        if let Some(error) = self.store.absent.known(&wanted).await {
            return Err(error);
        }
        let found = self.store.by_id.try_get_with(id, Box::pin(self.fetch(id))).await;
        match found {
            Ok(schema) => {
                self.store.keep_hot(id, &schema);
                Ok(schema)
            }
            Err(error) => Err(self.store.note_missing(wanted, &error).await),
        }
    }

    /// Answers [`SchemaRegistry::check`](super::SchemaRegistry::check).
    pub(super) async fn check(&self, id: SchemaId) {
        match self.client.by_id(id).await {
            Ok(found) => self.store.answered(None, &found).await,
            Err(error) => {
                tracing::debug!(schema_id = id.0, %error, "Cannot check a known schema id; trying again later.");
            }
        }
    }

    /// Requests the schema of `id`.
    async fn fetch(&self, id: SchemaId) -> Result<Arc<Schema>, RegistryError> {
        match self.client.by_id(id).await {
            Ok(found) => {
                self.store.answered(None, &found).await;
                Ok(found.registered.schema)
            }
            Err(error @ RegistryError::Unavailable { .. }) => {
                let Some(disk_cache) = &self.store.disk_cache else { return Err(error) };
                let Some(known) = disk_cache.by_id(id).await else { return Err(error) };
                tracing::warn!(schema_id = id.0, %error, "Using the schema that is cached on disk.");
                Ok(known.schema)
            }
            Err(error) => {
                self.store.forget_used().await;
                Err(error)
            }
        }
    }
}
