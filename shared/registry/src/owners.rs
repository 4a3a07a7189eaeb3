//! The subjects of a schema id. A registry holds schemas of many teams, and an id alone does not show which subject it
//! belongs to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::future::Cache;

use super::client::Client;
use super::store::SchemaStore;
use super::versions::Versions;
use super::{RegistryError, Wanted};
use crate::wire::SchemaId;

/// Finds the subjects of ids.
pub(super) struct Owners {
    client: Arc<Client>,
    store: Arc<SchemaStore>,
    versions: Arc<Versions>,
    of_id: Cache<SchemaId, Arc<Known>>,
    /// How long the subjects of an id count as complete.
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
    /// Creates the search with an empty cache, with requests by `client`.
    pub(super) fn new(
        config: &config::SchemaRegistry,
        client: &Arc<Client>,
        store: &Arc<SchemaStore>,
        versions: &Arc<Versions>,
    ) -> Self {
        let of_id = Cache::new(config.cache_capacity.max(1));
        store.forgets(&of_id);
        Self {
            client: Arc::clone(client),
            store: Arc::clone(store),
            versions: Arc::clone(versions),
            of_id,
            believed: config.negative_ttl,
        }
    }

    /// Checks that `id` is a version of one of `subjects`, even a deleted one. Does not request the schema.
    pub(super) async fn ensure_owned(&self, id: SchemaId, subjects: &[String]) -> Result<(), RegistryError> {
        self.client.ensure_possible(id)?;
        if let Some(known) = self.of_id.get(&id).await {
            if known.names_one_of(subjects) {
                return Ok(());
            }
            if known.asked.elapsed() < self.believed {
                return Err(self.foreign(id));
            }
            self.of_id.invalidate(&id).await;
        }
        let wanted = Wanted::Owner(id);
        if let Some(error) = self.store.absent.known(&wanted).await {
            return Err(error);
        }
        match self.of_id.try_get_with(id, Box::pin(self.ask_for_owners(id))).await {
            Ok(known) if known.names_one_of(subjects) => Ok(()),
            Ok(_) => Err(self.foreign(id)),
            Err(error) if matches!(*error, RegistryError::Unavailable { .. }) => self.ensure_listed(id, subjects).await,
            Err(error) => Err(self.store.absent.note(wanted, &error).await),
        }
    }

    async fn ask_for_owners(&self, id: SchemaId) -> Result<Arc<Known>, RegistryError> {
        let subjects = self.client.subjects_of(id).await?;
        Ok(Arc::new(Known { subjects, asked: Instant::now() }))
    }

    /// Checks the same at a registry that cannot list the subjects of an id: searches the newest versions of
    /// `subjects`.
    async fn ensure_listed(&self, id: SchemaId, subjects: &[String]) -> Result<(), RegistryError> {
        let mut unread = None;
        for subject in subjects {
            match self.lists(id, subject).await {
                Ok(true) => {
                    let known = Known { subjects: vec![subject.clone()], asked: Instant::now() };
                    self.of_id.insert(id, Arc::new(known)).await;
                    return Ok(());
                }
                Ok(false) => {}
                Err(error) => unread = Some(error),
            }
        }
        // A version that could not be read may be the one.
        match unread {
            Some(error) => Err(error),
            None => Err(self.store.absent.note(Wanted::Owner(id), &self.foreign(id)).await),
        }
    }

    /// Returns whether `id` is one of the newest versions of `subject`.
    ///
    /// # Errors
    /// If none of those that could be read is `id`, and another one could not be read.
    async fn lists(&self, id: SchemaId, subject: &str) -> Result<bool, RegistryError> {
        let versions = match self.versions.newest(subject).await {
            Ok(versions) => versions,
            Err(RegistryError::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let mut unread = None;
        for version in versions.iter() {
            match self.versions.usable(subject, *version).await {
                Ok(Some(found)) if found.id == id => return Ok(true),
                Ok(_) => {}
                Err(error) => unread = Some(error),
            }
        }
        unread.map_or(Ok(false), Err)
    }

    fn foreign(&self, id: SchemaId) -> RegistryError {
        let what = format!("schema id {id} among the versions of these subjects");
        RegistryError::NotFound { url: self.client.url().to_owned(), what }
    }
}
