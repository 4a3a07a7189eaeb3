//! Creates what must exist before the first document, in the order of dependence.

use std::time::Duration;

use super::managed::Managed;
use super::requests::RequestError;
use super::resources::{self, Composing};
use super::{Index, IndexSettings, Known};
use crate::config::{Lifecycle, Strategy};
use crate::elasticsearch::server;

/// How many times the server is asked for an index that it reports to exist, and the pause before the next time.
const LOOKS: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);

impl Index {
    /// Creates what is missing and updates what is ours. First asks for the server's kind and version, because a
    /// cluster may have been upgraded or replaced.
    pub(super) async fn bootstrap(&self, known: Known) -> Result<(), RequestError> {
        self.identify().await?;
        self.ensure_policy().await?;
        self.evolve().await?;
        self.allowed(self.ensure_index_template().await)?;
        self.check_auto_create().await?;
        match self.ensure_first().await {
            // A role that may only write cannot create an index either, and the index probably exists.
            Err(error) if known == Known::Nothing && error.is_denied() => {
                tracing::warn!(index = self.name(), %error, "The role may neither read nor create the index; if it is missing, create it by hand.");
                Ok(())
            }
            made => made,
        }
    }

    /// Returns whether documents have a place to go to: the index, the alias or the data stream. With the strategy
    /// `time`, the first document creates it.
    pub(crate) async fn has_place(&self) -> Result<bool, RequestError> {
        self.identify().await?;
        Ok(self.settings.strategy == Strategy::Time || self.is_there().await?)
    }

    /// Asks for the server's kind and version, and fails if it is too old.
    pub(crate) async fn identify(&self) -> Result<(), RequestError> {
        server::identify(self.requests.client(), self.name(), self.settings.expected()).await?;
        Ok(())
    }

    /// Creates or updates the lifecycle policy. An `OpenSearch` without the plugin works without: the index is not
    /// rolled over.
    async fn ensure_policy(&self) -> Result<(), RequestError> {
        self.state().without_lifecycle = false;
        let settings = self.settings_here();
        let Some(policy) = resources::policy(&settings) else {
            if self.settings.lifecycle == Lifecycle::Dsl && settings.lifecycle == Lifecycle::None {
                self.log_without_lifecycle(
                    "OpenSearch has no data stream lifecycle: set elasticsearch.lifecycle to ism.",
                );
            }
            return Ok(());
        };
        match policy.ensure(&self.requests, self.force).await {
            Err(error) if settings.lifecycle == Lifecycle::Ism && error.is_no_endpoint() => {
                self.state().without_lifecycle = true;
                self.log_without_lifecycle("OpenSearch lacks the plugin Index State Management: install it.");
                Ok(())
            }
            ensured => self.allowed(ensured).map(drop),
        }
    }

    fn log_without_lifecycle(&self, why: &str) {
        if self.state().is_new(why.to_owned()) {
            tracing::error!(index = self.name(), "{why} Until then indices are neither rolled over nor deleted.");
        }
    }

    /// Ignores the refusal if the role may only write documents. Policy and templates are then managed by others.
    fn allowed<T>(&self, outcome: Result<T, RequestError>) -> Result<Option<T>, RequestError> {
        match outcome {
            Err(error) if error.is_denied() => {
                tracing::debug!(index = self.name(), %error, "The role may not create a policy or template.");
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    async fn ensure_index_template(&self) -> Result<(), RequestError> {
        let settings = self.settings_here();
        let template = resources::index_template(&settings, self.composing(&settings).await?);
        if self.requests.is_dry_run() {
            self.validate(&settings, &template).await?;
        }
        match template.ensure(&self.requests, self.force).await {
            // Another template of the same priority matches these names. The first index still gets its mapping.
            Err(error) if error.is_bad_request() => {
                tracing::warn!(index = self.name(), %error, "Cannot create the index template; indices that Elasticsearch creates by itself have another mapping.");
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }

    /// Returns how index templates are composed on this server. `OpenSearch` refuses an index template whose
    /// component template is missing, so the operator's one is included from the next start or `setup` after its
    /// creation.
    async fn composing(&self, settings: &IndexSettings) -> Result<Composing, RequestError> {
        if !self.requests.client().is_opensearch() {
            return Ok(Composing::Lenient);
        }
        let path = format!("/_component_template/{}", resources::custom_template(settings));
        Ok(Composing::Strict { custom: self.requests.exists(&path).await? == Some(true) })
    }

    /// Asks the server to check what a dry run would send: the index template, with the component template inlined
    /// because it may not exist yet. Changes nothing.
    async fn validate(&self, settings: &IndexSettings, template: &Managed) -> Result<(), RequestError> {
        let component = resources::component_template(settings, &self.known_mapping());
        let body = resources::inlined(settings, &template.content, &component.content);
        let path = format!("/_index_template/_simulate/{}?filter_path=overlapping.name", template.name);
        match self.requests.post(&path, &body).await {
            Err(error) if error.is_denied() || error.is_no_endpoint() => {
                tracing::warn!(index = self.name(), %error, "The server cannot check the template.");
                Ok(())
            }
            checked => checked,
        }
    }

    async fn ensure_first(&self) -> Result<(), RequestError> {
        if self.is_there().await? {
            return Ok(());
        }
        let Some(first) = resources::first(&self.settings, &self.known_mapping()) else { return Ok(()) };
        self.check_bereft().await?;
        match self.requests.put(&first.path, &first.body).await {
            Ok(()) => {
                tracing::info!(index = self.name(), path = first.path, "Created the index.");
                Ok(())
            }
            // Another indexer has just created it, or it is old and its alias is gone.
            Err(error) if error.has_type("resource_already_exists_exception") => self.explain_existing(error).await,
            Err(error) => Err(error),
        }
    }

    /// Creates the index `name` of the strategy `time` unless it exists. Returns whether it was missing.
    pub(super) async fn make_dated(&self, name: &str) -> Result<bool, RequestError> {
        if self.requests.exists(&format!("/{name}")).await? == Some(true) {
            return Ok(false);
        }
        let first = resources::dated(&self.settings, name, &self.known_mapping());
        match self.requests.put(&first.path, &first.body).await {
            Ok(()) => {
                tracing::info!(index = name, "Created the index.");
                Ok(true)
            }
            Err(error) if error.has_type("resource_already_exists_exception") => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn explain_existing(&self, error: RequestError) -> Result<(), RequestError> {
        match self.appears().await? {
            true => Ok(()),
            false if self.rejoin_first().await? => Ok(()),
            false if self.settings.strategy == Strategy::Rollover => Err(RequestError::Occupied(format!(
                "{error}; but it has no alias {}: give it one with is_write_index, or remove it",
                self.name()
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

    /// Returns whether the index, the alias or the data stream exists. A role that may only write cannot ask; the
    /// answers to bulk requests will tell.
    async fn is_there(&self) -> Result<bool, RequestError> {
        let name = self.name();
        let strategy = self.settings.strategy;
        let has_alias = matches!(strategy, Strategy::Rollover | Strategy::Time);
        if has_alias {
            match self.requests.exists(&format!("/_alias/{name}")).await? {
                Some(true) => return Ok(true),
                Some(false) => {}
                // One of its indices may not let its metadata be read, and a role may not ask at all.
                None => match self.resolved().await {
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
}
