//! What has to be there before the first document, as the bodies of requests. Pure.

use serde_json::{Value, json};
use shared::config::Strategy;

use super::mapping;
use super::settings::IndexSettings;

/// The priority of the index template: above Elastic's own for the same patterns, which are 100 to 200.
const PRIORITY: u32 = 500;

/// What is made for the first document, by a PUT.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct First {
    pub(super) path: String,
    pub(super) body: Value,
}

/// The index template.
pub(super) fn index_template(settings: &IndexSettings) -> Value {
    let mut template = json!({
        "index_patterns": [settings.pattern()],
        "priority": PRIORITY,
        "template": { "mappings": mapping::mapping() },
        "_meta": { "description": "the mapping of the indices that penstock-indexer writes to" },
    });
    match settings.strategy {
        Strategy::Time => template["template"]["aliases"] = json!({ settings.name.as_str(): {} }),
        Strategy::DataStream => {
            template["data_stream"] = json!({});
            template["template"]["mappings"]["properties"]["@timestamp"] = json!({ "type": "date" });
        }
        // A backing index that somebody deletes must not come back by the documents on their way to it: without the alias nobody would find
        // them. They are answered 404 and go where the rest goes (Elasticsearch reference, "Create or update index template").
        Strategy::Rollover => template["allow_auto_create"] = json!(false),
        Strategy::Single => {}
    }
    template
}

/// The first backing index with the write alias, the data stream, or the one index. With `time`, each index is made by its first
/// document.
pub(super) fn first(settings: &IndexSettings) -> Option<First> {
    let name = settings.name.as_str();
    let mappings = || mapping::mapping();
    match settings.strategy {
        Strategy::Rollover => Some(First {
            path: format!("/{name}-000001"),
            body: json!({ "mappings": mappings(), "aliases": { name: { "is_write_index": true } } }),
        }),
        Strategy::Time => None,
        Strategy::DataStream => Some(First { path: format!("/_data_stream/{name}"), body: json!({}) }),
        Strategy::Single => Some(First { path: format!("/{name}"), body: json!({ "mappings": mappings() }) }),
    }
}
