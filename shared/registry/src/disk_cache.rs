//! Schemas on disk (`schema_registry.cache_dir`), for a start while the registry is down.
//!
//! The cache is a convenience and must never do harm: a disk error is only a warning, a slow disk is abandoned, and the
//! registry's own answer always takes precedence.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::RegisteredSchema;
use super::client::FoundSchema;
use super::folder::{Folder, Name};
use crate::wire::SchemaId;

/// The time limit for the disk.
const PATIENCE: Duration = Duration::from_secs(1);
/// The most threads that may wait for the disk.
const AT_ONCE: usize = 4;

/// Holds the schemas on disk.
pub(super) struct DiskCache {
    folder: Arc<Folder>,
    permits: Arc<Semaphore>,
    /// The ids that were taken from disk since the registry last answered.
    used: Mutex<HashSet<SchemaId>>,
    /// Whether a failed write has been reported.
    reported: AtomicBool,
}

impl DiskCache {
    /// Creates the cache in the folder of the config, if it names one. `urls` are the registry's addresses without
    /// users.
    pub(super) fn new(config: &config::SchemaRegistry, urls: &str) -> Option<Self> {
        let path = config.cache_dir.clone()?;
        // Each schema may be stored by id and by subject.
        let max_files = usize::try_from(config.cache_capacity).unwrap_or(usize::MAX).saturating_mul(2).max(2);
        Some(Self {
            folder: Arc::new(Folder::new(path, urls, max_files)),
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            used: Mutex::default(),
            reported: AtomicBool::new(false),
        })
    }

    /// Stores a schema from the registry by its id, and as the latest of `subject` if one is named.
    pub(super) async fn keep(&self, subject: Option<&str>, found: &FoundSchema) {
        let (id, texts) = (found.registered.id, found.texts.clone());
        let latest = subject.map(|subject| Name::Latest(subject.to_owned()));
        let written = self
            .on_disk(move |folder| {
                folder.make()?;
                if let Some(latest) = latest {
                    folder.write(&latest, id, texts.clone())?;
                }
                folder.write(&Name::Id(id), id, texts)
            })
            .await;
        match written {
            Ok(()) => self.reported.store(false, Ordering::Relaxed),
            Err(error) if !self.reported.swap(true, Ordering::Relaxed) => {
                let folder = self.folder.path().display();
                tracing::warn!(%folder, %error, "Cannot write schemas to schema_registry.cache_dir; a start while the registry is down would lack them.");
            }
            Err(_) => {}
        }
    }

    /// Stores the schema of `id`, if it is stored by id, also as the latest of `subject`.
    pub(super) async fn keep_as_latest(&self, subject: &str, id: SchemaId) {
        let latest = Name::Latest(subject.to_owned());
        let file = self.folder.file(&latest);
        let write = move |folder: &Folder| match folder.read(&Name::Id(id))? {
            Some((id, texts)) => folder.write(&latest, id, texts),
            None => Ok(()),
        };
        if let Err(error) = self.on_disk(write).await {
            ignored(&file, &error);
        }
    }

    /// Returns the schema of `id`, if stored. For use while the registry is down.
    pub(super) async fn by_id(&self, id: SchemaId) -> Option<RegisteredSchema> {
        self.get(Name::Id(id)).await
    }

    /// Returns the latest schema of `subject`, if stored. For use while the registry is down.
    pub(super) async fn latest(&self, subject: &str) -> Option<RegisteredSchema> {
        self.get(Name::Latest(subject.to_owned())).await
    }

    /// Removes the schema of `id`, which the registry no longer has.
    pub(super) async fn forget_id(&self, id: SchemaId) {
        self.forget(Name::Id(id)).await;
    }

    /// Removes the latest schema of `subject`, which the registry no longer has.
    pub(super) async fn forget_latest(&self, subject: &str) {
        self.forget(Name::Latest(subject.to_owned())).await;
    }

    /// Returns the ids that were taken from disk since the last call. For use when the registry answers again and may
    /// have newer schemas.
    pub(super) fn take_used(&self) -> HashSet<SchemaId> {
        std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn get(&self, name: Name) -> Option<RegisteredSchema> {
        let file = self.folder.file(&name);
        let read = self.on_disk(move |folder| folder.read(&name)).await;
        let (id, texts) = read.inspect_err(|error| ignored(&file, error)).ok()??;
        let schema = texts.compile().inspect_err(|reason| ignored(&file, reason)).ok()?;
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        Some(RegisteredSchema { id, schema })
    }

    async fn forget(&self, name: Name) {
        let file = self.folder.file(&name);
        if let Err(error) = self.on_disk(move |folder| folder.remove(&name)).await {
            let file = file.display();
            tracing::warn!(%file, %error, "Cannot remove a cached schema that the registry no longer has; remove it by hand.");
        }
    }

    /// Runs `work` on a thread that may block. If the disk hangs, only a few threads hang with it.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let folder = Arc::clone(&self.folder);
        let permits = Arc::clone(&self.permits);
        let all = async move {
            let permit = permits.acquire_owned().await.map_err(io::Error::other)?;
            let task = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                work(&folder)
            });
            task.await.map_err(io::Error::other)?
        };
        match tokio::time::timeout(PATIENCE, all).await {
            Ok(done) => done,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the disk takes too long")),
        }
    }
}

fn ignored(file: &Path, error: &dyn std::fmt::Display) {
    tracing::warn!(file = %file.display(), %error, "A cached schema is unusable and ignored.");
}
