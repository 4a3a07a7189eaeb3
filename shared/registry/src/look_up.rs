//! Looks up a version of a subject among its [`versions`](super::versions): by fingerprint, or by equal meaning.

use super::{RegisteredSchema, RegistryError, SchemaRegistry, Wanted};
use avro::Schema;

impl SchemaRegistry {
    /// Returns the version of `subject` whose schema has this fingerprint ([`Schema::fingerprint`]), from memory or
    /// from the registry. If several have it and mean the same, returns the newest. Looks at the newest 100.
    ///
    /// # Errors
    /// [`RegistryError`]: `NotFound` if no version has it, or the subject does not exist; before that `NotYet` for a
    /// while; `Ambiguous` if several versions have it and mean different values.
    pub async fn by_fingerprint(&self, subject: &str, fingerprint: u64) -> Result<RegisteredSchema, RegistryError> {
        let versions = &self.inner.versions;
        let key = (subject.to_owned(), fingerprint);
        if let Some(schema) = versions.by_fingerprint.get(&key).await {
            return Ok(schema);
        }
        let found = versions.by_fingerprint.try_get_with(key.clone(), self.of_fingerprint(subject, fingerprint)).await;
        match found.map_err(|error| RegistryError::clone(&error)) {
            Ok(schema) => {
                versions.last_known.insert(key, schema.clone()).await;
                Ok(schema)
            }
            Err(error @ RegistryError::Unavailable { .. }) => versions.last_known.get(&key).await.ok_or(error),
            Err(error) => Err(self.patient(Wanted::Fingerprint(key.0, fingerprint), error).await),
        }
    }

    /// Returns the newest version of `subject` that gives a reader the same values as `schema` ([`Schema::meaning`]),
    /// from memory or from the registry. Looks at the newest 100.
    ///
    /// # Errors
    /// [`RegistryError`]: `NotFound` if no version does, or the subject does not exist; before that `NotYet` for a
    /// while.
    pub async fn by_meaning(&self, subject: &str, schema: &Schema) -> Result<RegisteredSchema, RegistryError> {
        let key = (subject.to_owned(), schema.meaning());
        if let Some(schema) = self.inner.versions.by_meaning.get(&key).await {
            return Ok(schema);
        }
        match self.inner.versions.by_meaning.try_get_with(key, self.of_meaning(subject, schema)).await {
            Ok(found) => Ok(found),
            Err(error) => {
                let wanted = Wanted::Meaning(subject.to_owned(), schema.meaning());
                Err(self.patient(wanted, RegistryError::clone(&error)).await)
            }
        }
    }

    /// Returns the error to report: a version that was registered a moment ago may be missing at the node that was asked.
    async fn patient(&self, wanted: Wanted, error: RegistryError) -> RegistryError {
        match error {
            RegistryError::NotFound { .. } => self.inner.absent.note(wanted, &error).await,
            other => other,
        }
    }

    async fn of_meaning(&self, subject: &str, wanted: &Schema) -> Result<RegisteredSchema, RegistryError> {
        let is_it = |found: &RegisteredSchema| found.schema.meaning() == wanted.meaning();
        // The latest version is usually known, even while the registry is down.
        if let Ok(latest) = self.latest(subject).await
            && is_it(&latest)
        {
            return Ok(latest);
        }
        for version in self.newest_versions(subject).await?.iter() {
            if let Some(found) = self.usable(subject, *version).await?.filter(is_it) {
                return Ok(found);
            }
        }
        Err(self.not_found(format!("version of subject {subject} that means the same")))
    }

    async fn of_fingerprint(&self, subject: &str, fingerprint: u64) -> Result<RegisteredSchema, RegistryError> {
        let mut newest: Option<RegisteredSchema> = None;
        for version in self.newest_versions(subject).await?.iter() {
            let found = self.usable(subject, *version).await?;
            let Some(found) = found.filter(|found| found.schema.fingerprint() == fingerprint) else { continue };
            match &newest {
                Some(newest) if newest.schema.meaning() != found.schema.meaning() => {
                    let what = format!("the fingerprint {fingerprint:016x} in subject {subject}");
                    return Err(RegistryError::Ambiguous { url: self.inner.client.url().to_owned(), what });
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
        RegistryError::NotFound { url: self.inner.client.url().to_owned(), what }
    }
}
