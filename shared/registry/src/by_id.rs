//! Schemas by id, as named in every frame.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Inner, RegistryError, SchemaRegistry, Wanted};
use crate::wire::SchemaId;
use avro::Schema;

impl SchemaRegistry {
    /// Returns the schema of `id` if it is in memory. Never waits, so it suits the hot path.
    pub fn cached(&self, id: SchemaId) -> Option<Arc<Schema>> {
        self.inner.hot.load().get(&id).cloned()
    }

    /// Returns the schema of `id` from memory or from the registry, or from disk while the registry is down. Concurrent
    /// calls for one id make one request.
    ///
    /// # Errors
    /// [`RegistryError`]. "Not found" and "unusable" are remembered for `schema_registry.negative_ttl`, "not yet" for a
    /// second, and "unavailable" not at all.
    pub async fn by_id(&self, id: SchemaId) -> Result<Arc<Schema>, RegistryError> {
        if let Some(schema) = self.cached(id) {
            return Ok(schema);
        }
        let wanted = Wanted::Id(id);
        if let Some(error) = self.inner.absent.known(&wanted).await {
            return Err(error);
        }
        let found = self.inner.by_id.try_get_with(id, self.inner.fetch(id)).await;
        match found {
            Ok(schema) => {
                self.inner.keep_hot(id, &schema);
                Ok(schema)
            }
            Err(error) => Err(self.inner.note_missing(wanted, &error).await),
        }
    }
}

impl Inner {
    /// Requests the schema of `id`.
    async fn fetch(&self, id: SchemaId) -> Result<Arc<Schema>, RegistryError> {
        match self.client.by_id(id).await {
            Ok(found) => {
                self.answered(None, &found).await;
                Ok(found.registered.schema)
            }
            Err(error @ RegistryError::Unavailable { .. }) => {
                let Some(disk_cache) = &self.disk_cache else { return Err(error) };
                let Some(known) = disk_cache.by_id(id).await else { return Err(error) };
                tracing::warn!(schema_id = id.0, %error, "Using the schema that is cached on disk.");
                Ok(known.schema)
            }
            Err(error) => {
                self.forget_used().await;
                Err(error)
            }
        }
    }

    /// Adds `schema` to those that [`SchemaRegistry::cached`] returns. If there is no more room, forgets all others:
    /// those in use come back from `by_id`, without a request.
    pub(super) fn keep_hot(&self, id: SchemaId, schema: &Arc<Schema>) {
        self.hot.rcu(|hot| {
            let has_room = self.weighed.have_room(hot.values(), schema);
            let mut new = if has_room { HashMap::clone(hot) } else { HashMap::new() };
            new.insert(id, Arc::clone(schema));
            new
        });
    }
}
