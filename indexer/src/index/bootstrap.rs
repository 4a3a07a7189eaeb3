//! What has to be there before the first document is made here, in the order in which each needs the one before it.

use shared::config::Strategy;

use super::requests::RequestError;
use super::{Index, Known, resources};

impl Index {
    /// Makes what is missing, updates what is ours.
    pub(super) async fn bootstrap(&self, known: Known) -> Result<(), RequestError> {
        if let Some(policy) = resources::policy(&self.settings) {
            self.allowed(policy.ensure(&self.requests, self.force).await)?;
        }
        self.evolve().await?;
        self.allowed(self.ensure_index_template().await)?;
        match self.ensure_first().await {
            // Whoever may only write may make no index either, and it is probably there.
            Err(error) if known == Known::Nothing && error.is_denied() => {
                tracing::warn!(index = self.name(), %error, "Neither asking for the index nor making it is allowed; if it is missing, make it by hand.");
                Ok(())
            }
            made => made,
        }
    }

    /// Lets those through that may write documents and nothing else: policy and templates are somebody else's then.
    fn allowed<T>(&self, outcome: Result<T, RequestError>) -> Result<Option<T>, RequestError> {
        match outcome {
            Err(error) if error.is_denied() => {
                tracing::debug!(index = self.name(), %error, "A policy or template is not ours to make.");
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    async fn ensure_index_template(&self) -> Result<(), RequestError> {
        let template = resources::index_template(&self.settings);
        match template.ensure(&self.requests, self.force).await {
            // Another template of the same priority has these names. The first index gets its mapping all the same.
            Err(error) if error.is_bad_request() => {
                tracing::warn!(index = self.name(), %error, "The index template could not be made: indices that Elasticsearch makes by itself have another mapping.");
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }

    async fn ensure_first(&self) -> Result<(), RequestError> {
        if self.is_there().await? {
            return Ok(());
        }
        let Some(first) = resources::first(&self.settings, &self.state().mapping.clone()) else { return Ok(()) };
        match self.requests.put(&first.path, &first.body).await {
            Ok(()) => {
                tracing::info!(index = self.name(), path = first.path, "The index is made.");
                Ok(())
            }
            // By another indexer, a moment ago; or long ago, and the alias is gone.
            Err(error) if error.has_type("resource_already_exists_exception") => self.explain_existing(error).await,
            Err(error) => Err(error),
        }
    }

    async fn explain_existing(&self, error: RequestError) -> Result<(), RequestError> {
        match self.is_there().await? {
            true => Ok(()),
            false if self.settings.strategy == Strategy::Rollover => Err(RequestError::Occupied(format!(
                "{error}; but it has no alias {}: give it one with is_write_index, or remove it",
                self.name()
            ))),
            false => Err(error),
        }
    }

    /// Whether the index, the alias or the data stream is there. Whoever may only write may not ask: what bulk requests are answered
    /// will tell.
    async fn is_there(&self) -> Result<bool, RequestError> {
        let name = self.name();
        let strategy = self.settings.strategy;
        let has_alias = matches!(strategy, Strategy::Rollover | Strategy::Time);
        if has_alias && self.requests.exists(&format!("/_alias/{name}")).await? == Some(true) {
            return Ok(true);
        }
        match self.requests.exists(&format!("/{name}")).await? {
            Some(true) if has_alias => Err(RequestError::Occupied(format!(
                "{name} is an index or a data stream, and elasticsearch.strategy wants an alias of this name: choose another \
                 elasticsearch.index_name, or remove it"
            ))),
            Some(there) => Ok(there),
            None => Ok(false),
        }
    }
}
