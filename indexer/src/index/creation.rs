//! Creates indices: the first one of an index set, and those of the strategy `time` by their names.

use std::sync::Arc;
use std::time::Duration;

use super::indices::Indices;
use super::known_fields::KnownFields;
use super::requests::{RequestError, Requests};
use super::resources;
use super::settings::IndexSettings;
use super::strays::Strays;
use crate::config::Strategy;

/// How many times the server is asked for an index that it reports to exist, and the pause before the next time.
const LOOKS: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// Creates the indices that documents go to.
#[derive(Debug)]
pub(super) struct Creation {
    requests: Requests,
    settings: Arc<IndexSettings>,
    fields: Arc<KnownFields>,
    indices: Indices,
    strays: Arc<Strays>,
}

impl Creation {
    /// Prepares the creation of the indices of `settings`, with `fields`. Sends nothing.
    pub(super) fn new(
        requests: &Requests,
        settings: &Arc<IndexSettings>,
        fields: &Arc<KnownFields>,
        strays: &Arc<Strays>,
    ) -> Self {
        Self {
            requests: requests.clone(),
            settings: Arc::clone(settings),
            fields: Arc::clone(fields),
            indices: Indices::new(requests, settings),
            strays: Arc::clone(strays),
        }
    }

    /// Creates the first index, with its alias, or the data stream, unless it exists.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(super) async fn ensure_first(&self) -> Result<(), RequestError> {
        if self.is_there().await? {
            return Ok(());
        }
        let Some(first) = resources::first(&self.settings, &self.fields.mapping()) else { return Ok(()) };
        self.strays.check_bereft().await?;
        match self.requests.put(&first.path, &first.body).await {
            Ok(()) => {
                tracing::info!(index = self.settings.name, path = first.path, "Created the index.");
                Ok(())
            }
            // Another indexer has just created it, or it is old and its alias is gone.
            Err(error) if error.has_type("resource_already_exists_exception") => self.explain_existing(error).await,
            Err(error) => Err(error),
        }
    }

    /// Creates the index `name` of the strategy `time` unless it exists. Returns whether it was missing.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(super) async fn make_dated(&self, name: &str) -> Result<bool, RequestError> {
        if self.requests.has(name).await? {
            return Ok(false);
        }
        let first = resources::dated(&self.settings, name, &self.fields.mapping());
        match self.requests.put(&first.path, &first.body).await {
            Ok(()) => {
                tracing::info!(index = name, "Created the index.");
                Ok(true)
            }
            Err(error) if error.has_type("resource_already_exists_exception") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns whether the index, the alias or the data stream exists. A role that may only write cannot ask; the
    /// answers to bulk requests will tell.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(super) async fn is_there(&self) -> Result<bool, RequestError> {
        let IndexSettings { name, strategy, .. } = &*self.settings;
        let has_alias = matches!(strategy, Strategy::Rollover | Strategy::Time);
        if has_alias {
            match self.requests.exists(&format!("/_alias/{name}")).await? {
                Some(true) => return Ok(true),
                Some(false) => {}
                // One of its indices may not let its metadata be read, and a role may not ask at all.
                None => match self.indices.resolved().await {
                    Ok(behind) if !behind.is_empty() => return Ok(true),
                    Ok(_) | Err(RequestError::Refused { .. }) => {}
                    Err(error) => return Err(error),
                },
            }
        }
        match self.requests.exists(&format!("/{name}")).await? {
            Some(true) if has_alias => Err(RequestError::Occupied(format!(
                "{name} is an index or a data stream, and elasticsearch.strategy needs an alias of this name: choose \
                 another elasticsearch.index_name, or remove it"
            ))),
            Some(there) => Ok(there),
            None => Ok(false),
        }
    }

    async fn explain_existing(&self, error: RequestError) -> Result<(), RequestError> {
        match self.appears().await? {
            true => Ok(()),
            false if self.strays.rejoin_first().await? => Ok(()),
            false if self.settings.strategy == Strategy::Rollover => Err(RequestError::Occupied(format!(
                "{error}; but it has no alias {}: give it one with is_write_index, or remove it",
                self.settings.name
            ))),
            false => Err(error),
        }
    }

    /// Waits a moment for an index that the master has just created for another indexer. A node answers by the state
    /// that it has applied, which may be older.
    async fn appears(&self) -> Result<bool, RequestError> {
        for _ in 1..LOOKS {
            if self.is_there().await? {
                return Ok(true);
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.is_there().await
    }
}
