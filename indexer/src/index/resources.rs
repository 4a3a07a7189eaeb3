//! Describes what must exist before the first document, as request bodies. Pure.
//!
//! The component template `penstock-{name}` holds mapping and settings. The index template of the same name applies
//! it to the names of the indices, followed by the operator's component template `{name}@custom`, for example with
//! the number of shards. They apply to every index that Elasticsearch creates, at a rollover or because an index was
//! deleted.

use serde_json::{Value, json};

use super::lifecycle::{self, priority};
use super::managed::{Kind, Managed};
use super::mapping::count_fields;
use super::settings::IndexSettings;
use crate::config::{Lifecycle, Strategy};

/// Elasticsearch's default of `index.mapping.total_fields.limit`.
const DEFAULT_FIELDS: usize = 1_000;
/// How many fields can be added before the limit must be raised again.
const SPARE_FIELDS: usize = 100;

/// What is created for the first document, by a PUT.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct First {
    pub(super) path: String,
    pub(super) body: Value,
}

/// Returns the lifecycle policy, if the lifecycle has a separate one.
pub(super) fn policy(settings: &IndexSettings) -> Option<Managed> {
    let policy = settings.policy.as_ref()?;
    let name = policy.policy_name.clone();
    match settings.lifecycle {
        Lifecycle::Ilm => Some(Managed { kind: Kind::IlmPolicy, name, content: lifecycle::ilm(policy) }),
        Lifecycle::Ism => {
            let content = lifecycle::ism(policy, &settings.policy_patterns(), "");
            Some(Managed { kind: Kind::IsmPolicy, name, content })
        }
        Lifecycle::Dsl | Lifecycle::None => None,
    }
}

/// Returns the name of both templates.
pub(super) fn template_name(settings: &IndexSettings) -> String {
    format!("penstock-{}", settings.name)
}

/// Returns the component template.
pub(super) fn component_template(settings: &IndexSettings, mapping: &Value) -> Managed {
    let mut index = serde_json::Map::new();
    if let Some(limit) = fields_limit(mapping) {
        index.insert("mapping".to_owned(), json!({ "total_fields": { "limit": limit.to_string() } }));
    }
    // Elasticsearch returns settings as text.
    let policy = settings.policy.as_ref().map(|policy| policy.policy_name.as_str());
    match (settings.lifecycle, settings.strategy, policy) {
        (Lifecycle::Ilm, Strategy::Rollover, Some(policy)) => {
            index.insert("lifecycle".to_owned(), json!({ "name": policy, "rollover_alias": settings.name }));
        }
        (Lifecycle::Ilm, Strategy::Time, Some(policy)) => {
            index.insert("lifecycle".to_owned(), json!({ "name": policy, "parse_origination_date": "true" }));
        }
        (Lifecycle::Ilm, _, Some(policy)) => {
            index.insert("lifecycle".to_owned(), json!({ "name": policy }));
        }
        (Lifecycle::Ism, Strategy::Rollover, _) => {
            let alias = json!({ "index_state_management": { "rollover_alias": settings.name } });
            index.insert("plugins".to_owned(), alias);
        }
        _ => {}
    }
    let mut template = json!({ "mappings": mapping });
    if !index.is_empty() {
        template["settings"] = json!({ "index": index });
    }
    Managed { kind: Kind::ComponentTemplate, name: template_name(settings), content: json!({ "template": template }) }
}

/// Returns the name of the operator's component template.
pub(super) fn custom_template(settings: &IndexSettings) -> String {
    format!("{}@custom", settings.name)
}

/// What the server supports in index templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Composing {
    /// Elasticsearch: component templates may be missing, and a template can allow or forbid that documents create
    /// indices.
    Lenient,
    /// `OpenSearch`: every component template must exist.
    Strict {
        /// Whether the operator's component template exists.
        custom: bool,
    },
}

/// Returns the index template.
pub(super) fn index_template(settings: &IndexSettings, composing: Composing) -> Managed {
    let custom = custom_template(settings);
    let mut content = json!({
        "index_patterns": [settings.pattern()],
        "priority": priority(&settings.name),
        "composed_of": [template_name(settings), custom],
    });
    match composing {
        Composing::Lenient => content["ignore_missing_component_templates"] = json!([custom]),
        Composing::Strict { custom: true } => {}
        Composing::Strict { custom: false } => content["composed_of"] = json!([template_name(settings)]),
    }
    match settings.strategy {
        Strategy::Time => {
            content["template"] = json!({ "aliases": { settings.name.as_str(): {} } });
            // The first document creates the index, whatever action.auto_create_index says. OpenSearch does not
            // support this.
            if composing == Composing::Lenient {
                content["allow_auto_create"] = json!(true);
            }
        }
        Strategy::DataStream => {
            content["data_stream"] = json!({});
            if settings.lifecycle == Lifecycle::Dsl {
                let keep = settings.policy.as_ref().and_then(|policy| policy.delete.as_ref());
                let lifecycle = match keep {
                    Some(delete) => json!({ "enabled": true, "data_retention": delete.min_age }),
                    None => json!({ "enabled": true }),
                };
                content["template"] = json!({ "lifecycle": lifecycle });
            }
        }
        // If a backing index is deleted, documents on their way to it must not create it again: without the alias
        // they could not be found. They are answered 404 and are placed again (Elasticsearch reference, "Create or
        // update index template").
        Strategy::Rollover if composing == Composing::Lenient => content["allow_auto_create"] = json!(false),
        Strategy::Rollover | Strategy::Single => {}
    }
    Managed { kind: Kind::IndexTemplate, name: template_name(settings), content }
}

/// Returns the index template `template` with the component template `component` inlined, so that a server can check
/// it before either exists.
pub(super) fn inlined(settings: &IndexSettings, template: &Value, component: &Value) -> Value {
    let mut whole = template.clone();
    if let Some(names) = whole["composed_of"].as_array_mut() {
        names.retain(|name| *name != template_name(settings));
    }
    let own = whole["template"].take();
    whole["template"] = component["template"].clone();
    for (key, value) in own.as_object().into_iter().flatten() {
        whole["template"][key] = value.clone();
    }
    whole
}

/// Returns the first backing index with the write alias, the data stream, or the single index. With `time`, the first
/// document creates each index. The mapping repeats the template's, because another template may win the names.
pub(super) fn first(settings: &IndexSettings, mapping: &Value) -> Option<First> {
    let name = settings.name.as_str();
    match settings.strategy {
        Strategy::Rollover => Some(First {
            path: format!("/{name}-000001"),
            body: json!({ "mappings": mapping, "aliases": { name: { "is_write_index": true } } }),
        }),
        Strategy::Time => None,
        Strategy::DataStream => Some(First { path: format!("/_data_stream/{name}"), body: Value::Null }),
        Strategy::Single => Some(First { path: format!("/{name}"), body: json!({ "mappings": mapping }) }),
    }
}

/// Returns the index `name` of the strategy `time`, for clusters where documents may not create it.
pub(super) fn dated(settings: &IndexSettings, name: &str, mapping: &Value) -> First {
    let body = json!({ "mappings": mapping, "aliases": { settings.name.as_str(): {} } });
    First { path: format!("/{name}"), body }
}

/// Returns the `index.mapping.total_fields.limit` that `mapping` needs, if it is more than the default.
pub(super) fn fields_limit(mapping: &Value) -> Option<usize> {
    let fields = count_fields(mapping);
    (fields + SPARE_FIELDS > DEFAULT_FIELDS).then(|| (fields + SPARE_FIELDS).next_multiple_of(DEFAULT_FIELDS))
}
