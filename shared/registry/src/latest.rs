//! The latest schema of a subject, or the last known one while the registry is down.

use std::sync::Arc;

use super::{Inner, RegisteredSchema, RegistryError, SchemaRegistry, Wanted};

impl SchemaRegistry {
    /// Returns the latest schema of `subject`. It is at most `schema_registry.refresh` old, or older only while the
    /// registry is down. Concurrent calls for one subject make one request.
    ///
    /// # Errors
    /// [`RegistryError`]: if the registry has no schema, or if it is down and the subject was never seen.
    pub async fn latest(&self, subject: &str) -> Result<RegisteredSchema, RegistryError> {
        if let Some(latest) = self.inner.latest.get(subject).await {
            return Ok(latest);
        }
        let wanted = Wanted::Subject(subject.to_owned());
        if let Some(error) = self.inner.absent.known(&wanted).await {
            return Err(error);
        }
        let found = self.inner.latest.try_get_with_by_ref(subject, self.inner.refresh(subject)).await;
        match found {
            Ok(latest) => Ok(latest),
            Err(error) => Err(self.inner.note_missing(wanted, &error).await),
        }
    }

    /// Requests the latest schema of `subject` from the registry, even if a fresh one is known.
    ///
    /// # Errors
    /// As for [`SchemaRegistry::latest`].
    pub async fn latest_now(&self, subject: &str) -> Result<RegisteredSchema, RegistryError> {
        self.inner.latest.invalidate(subject).await;
        self.inner.absent.forget(&Wanted::Subject(subject.to_owned())).await;
        self.latest(subject).await
    }
}

impl Inner {
    /// Requests the latest schema of `subject`. While the registry is down, the last known schema counts as fresh, so
    /// the registry gets no more requests than usual.
    async fn refresh(&self, subject: &str) -> Result<RegisteredSchema, RegistryError> {
        match self.client.latest(subject).await {
            Ok(found) => {
                self.answered(Some(subject), &found).await;
                self.note_latest(subject, &found.registered).await;
                Ok(found.registered)
            }
            Err(error @ RegistryError::Unavailable { .. }) => self.last_known(subject, error).await,
            Err(error) => {
                self.forget_used().await;
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
        let Some(disk_cache) = &self.disk_cache else { return Err(error) };
        let Some(known) = disk_cache.latest(subject).await else { return Err(error) };
        tracing::warn!(subject, schema_id = known.id.0, %error, "Using the latest schema that is cached on disk.");
        self.note_latest(subject, &known).await;
        Ok(known)
    }

    async fn note_latest(&self, subject: &str, latest: &RegisteredSchema) {
        self.last_known.insert(subject.to_owned(), latest.clone()).await;
        self.by_id.insert(latest.id, Arc::clone(&latest.schema)).await;
        self.keep_hot(latest.id, &latest.schema);
    }
}
