//! The subjects of a schema id. A registry holds schemas of many teams, and an id alone does not show which subject it
//! belongs to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::future::Cache;

use super::{RegistryError, SchemaRegistry, Wanted};
use crate::wire::SchemaId;
use avro::Schema;

/// Holds the known subjects of ids.
pub(super) struct Owners {
    of_id: Cache<SchemaId, Arc<Known>>,
    /// How long an id is believed to belong to no other subjects.
    believed: Duration,
}

struct Known {
    subjects: Vec<String>,
    asked: Instant,
}

impl Known {
    fn names_one_of(&self, subjects: &[String]) -> bool {
        self.subjects.iter().any(|subject| subjects.contains(subject))
    }
}

impl Owners {
    pub(super) fn new(config: &config::SchemaRegistry, capacity: u64) -> Self {
        Self { of_id: Cache::new(capacity), believed: config.negative_ttl }
    }

    /// Forgets which subjects ids belong to.
    pub(super) fn forget_all(&self) {
        self.of_id.invalidate_all();
    }
}

impl SchemaRegistry {
    /// Returns the schema of `id` if it is a version of one of `subjects`, even a deleted one. Otherwise does not
    /// request the schema at all.
    ///
    /// # Errors
    /// As for [`SchemaRegistry::by_id`]; also `NotFound` if the id belongs only to other subjects.
    pub async fn by_id_of(&self, id: SchemaId, subjects: &[String]) -> Result<Arc<Schema>, RegistryError> {
        self.ensure_owned(id, subjects).await?;
        self.by_id(id).await
    }

    async fn ensure_owned(&self, id: SchemaId, subjects: &[String]) -> Result<(), RegistryError> {
        let owners = &self.inner.owners;
        if let Some(known) = owners.of_id.get(&id).await {
            if known.names_one_of(subjects) {
                return Ok(());
            }
            if known.asked.elapsed() < owners.believed {
                return Err(self.foreign(id));
            }
            owners.of_id.invalidate(&id).await;
        }
        let wanted = Wanted::Owner(id);
        if let Some(error) = self.inner.absent.known(&wanted).await {
            return Err(error);
        }
        match owners.of_id.try_get_with(id, self.ask_for_owners(id)).await {
            Ok(known) if known.names_one_of(subjects) => Ok(()),
            Ok(_) => Err(self.foreign(id)),
            Err(error) if matches!(*error, RegistryError::Unavailable { .. }) => self.ensure_listed(id, subjects).await,
            Err(error) => Err(self.inner.absent.note(wanted, &error).await),
        }
    }

    async fn ask_for_owners(&self, id: SchemaId) -> Result<Arc<Known>, RegistryError> {
        let subjects = self.inner.client.subjects_of(id).await?;
        Ok(Arc::new(Known { subjects, asked: Instant::now() }))
    }

    /// Checks the same at a registry that cannot list the subjects of an id: searches the newest versions of
    /// `subjects`.
    async fn ensure_listed(&self, id: SchemaId, subjects: &[String]) -> Result<(), RegistryError> {
        for subject in subjects {
            let versions = match self.newest_versions(subject).await {
                Ok(versions) => versions,
                Err(RegistryError::NotFound { .. }) => continue,
                Err(error) => return Err(error),
            };
            for version in versions.iter() {
                if self.by_version(subject, *version).await.is_ok_and(|found| found.id == id) {
                    let known = Known { subjects: vec![subject.clone()], asked: Instant::now() };
                    self.inner.owners.of_id.insert(id, Arc::new(known)).await;
                    return Ok(());
                }
            }
        }
        Err(self.inner.absent.note(Wanted::Owner(id), &self.foreign(id)).await)
    }

    fn foreign(&self, id: SchemaId) -> RegistryError {
        let what = format!("schema id {id} among the versions of these subjects");
        RegistryError::NotFound { url: self.inner.client.url().to_owned(), what }
    }
}
