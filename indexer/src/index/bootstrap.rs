//! Creates what must exist before the first document, in the order of dependence.

use std::sync::Arc;

use super::Known;
use super::creation::Creation;
use super::evolve::Evolution;
use super::index_template::IndexTemplate;
use super::policy::Policy;
use super::requests::{RequestError, Requests, allowed};
use super::settings::IndexSettings;
use super::strays::Strays;
use crate::config::Strategy;
use crate::elasticsearch::server;

/// The steps before the first document.
#[derive(Debug)]
pub(crate) struct Bootstrap {
    pub(super) requests: Requests,
    pub(super) settings: Arc<IndexSettings>,
    pub(super) policy: Arc<Policy>,
    pub(super) evolution: Arc<Evolution>,
    pub(super) index_template: IndexTemplate,
    pub(super) strays: Arc<Strays>,
    pub(super) creation: Arc<Creation>,
}

impl Bootstrap {
    /// Creates what is missing and updates what is ours. First asks for the server's kind and version, because a
    /// cluster may have been upgraded or replaced.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(super) async fn run(&self, known: Known) -> Result<(), RequestError> {
        let index = &self.settings.name;
        self.identify().await?;
        self.policy.ensure().await?;
        self.evolution.evolve().await?;
        allowed(index, self.index_template.ensure().await)?;
        self.strays.check_auto_create().await?;
        match self.creation.ensure_first().await {
            // A role that may only write cannot create an index either, and the index probably exists.
            Err(error) if known == Known::Nothing && error.is_denied() => {
                tracing::warn!(index, %error, "The role may neither read nor create the index; if it is missing, create it by hand.");
                Ok(())
            }
            made => made,
        }
    }

    /// Returns whether documents have a place to go to: the index, the alias or the data stream. With the strategy
    /// `time`, the first document creates it.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn has_place(&self) -> Result<bool, RequestError> {
        self.identify().await?;
        Ok(self.settings.strategy == Strategy::Time || self.creation.is_there().await?)
    }

    /// Asks for the server's kind and version, and fails if it is too old.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn identify(&self) -> Result<(), RequestError> {
        server::identify(self.requests.client(), &self.settings.name, self.settings.expected()).await?;
        Ok(())
    }
}
