//! The index that replaces those behind an alias.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::config::{Lifecycle, Strategy};
use crate::index::bootstrap::Bootstrap;
use crate::index::known_fields::KnownFields;
use crate::index::policy::Policy;
use crate::index::requests::{RequestError, Requests};
use crate::index::settings::IndexSettings;
use crate::index::{Index, Known, lifecycle, resources};

/// Creates the new index beside those behind the alias, and makes it one of them.
#[derive(Debug)]
pub(crate) struct Successor {
    requests: Requests,
    settings: Arc<IndexSettings>,
    bootstrap: Arc<Bootstrap>,
    policy: Arc<Policy>,
    fields: Arc<KnownFields>,
}

impl Successor {
    /// Creates the successor of the indices of `index`. Sends nothing.
    pub(crate) fn of(index: &Index) -> Self {
        Self {
            requests: index.requests.clone(),
            settings: Arc::clone(&index.settings),
            bootstrap: Arc::clone(&index.bootstrap),
            policy: Arc::clone(&index.policy),
            fields: Arc::clone(&index.fields),
        }
    }

    /// Creates the index `name` with the current mapping and with the settings of the index's template, except for
    /// the lifecycle.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn make(&self, name: &str) -> Result<(), RequestError> {
        self.bootstrap.run(Known::Nothing).await?;
        let path = format!("/_index_template/_simulate/{}", resources::template_name(&self.settings));
        let mut settings = match self.requests.ask(&path, &Value::Null).await {
            Ok(mut simulated) => simulated["template"]["settings"].take(),
            Err(error) => {
                tracing::warn!(index = name, %error, "Cannot read the settings of the template; the index is created with the defaults.");
                Value::Null
            }
        };
        if let Some(index) = settings.pointer_mut("/index").and_then(Value::as_object_mut) {
            index.retain(|key, _| key != "lifecycle" && key != "plugins");
        }
        let mut body = json!({ "mappings": self.fields.mapping() });
        if settings.is_object() {
            body["settings"] = settings;
        }
        // The template of the backing indices may still have outdated fields. A template for this name alone wins
        // while the index is created.
        let template = format!("/_index_template/penstock-{name}");
        let alone = json!({ "index_patterns": [name], "priority": lifecycle::priority(name) });
        self.requests.put(&template, &alone).await?;
        self.requests.put(&format!("/{name}"), &body).await?;
        self.requests.delete(&template).await
    }

    /// Applies the lifecycle of the indices behind the alias to `index`, which has become one of them. Deletes the
    /// templates that it was created with.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn adopt(&self, index: &str) -> Result<(), RequestError> {
        for folder in ["_index_template", "_component_template"] {
            self.requests.delete(&format!("/{folder}/penstock-{index}")).await?;
        }
        let settings = self.policy.settings_here();
        let (Lifecycle::Ilm, Some(policy)) = (settings.lifecycle, &settings.policy) else { return Ok(()) };
        let lifecycle = match settings.strategy {
            Strategy::Rollover => json!({ "name": policy.policy_name, "rollover_alias": self.settings.name }),
            Strategy::Single | Strategy::Time | Strategy::DataStream => json!({ "name": policy.policy_name }),
        };
        self.requests.put(&format!("/{index}/_settings"), &json!({ "index": { "lifecycle": lifecycle } })).await
    }
}
