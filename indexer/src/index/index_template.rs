//! The index template, which applies the component template to the names of the indices.

use std::sync::Arc;

use super::known_fields::KnownFields;
use super::managed::Managed;
use super::policy::Policy;
use super::requests::{RequestError, Requests};
use super::resources::{self, Composing};
use super::settings::IndexSettings;

/// Creates the index template of an index.
#[derive(Debug)]
pub(super) struct IndexTemplate {
    requests: Requests,
    policy: Arc<Policy>,
    fields: Arc<KnownFields>,
}

impl IndexTemplate {
    /// Creates the template for the settings that `policy` knows, with `fields`. Sends nothing.
    pub(super) fn new(requests: &Requests, policy: &Arc<Policy>, fields: &Arc<KnownFields>) -> Self {
        Self { requests: requests.clone(), policy: Arc::clone(policy), fields: Arc::clone(fields) }
    }

    /// Creates or updates the template. A dry run has the server check it.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(super) async fn ensure(&self) -> Result<(), RequestError> {
        let settings = self.policy.settings_here();
        let template = resources::index_template(&settings, self.composing(&settings).await?);
        if self.requests.is_dry_run() {
            self.validate(&settings, &template).await?;
        }
        match template.ensure(&self.requests).await {
            // Another template of the same priority matches these names. The first index still gets its mapping.
            Err(error) if error.is_bad_request() => {
                let index = &settings.name;
                tracing::warn!(index, %error, "Cannot create the index template; indices that Elasticsearch creates by itself have another mapping.");
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
        let component = resources::component_template(settings, &self.fields.mapping());
        let body = resources::inlined(settings, &template.content, &component.content);
        let path = format!("/_index_template/_simulate/{}?filter_path=overlapping.name", template.name);
        match self.requests.post(&path, &body).await {
            Err(error) if error.is_denied() || error.is_no_endpoint() => {
                tracing::warn!(index = settings.name, %error, "The server cannot check the template.");
                Ok(())
            }
            checked => checked,
        }
    }
}
