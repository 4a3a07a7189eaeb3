//! Converts a mapping for `OpenSearch`. Mappings are made, compared and merged in Elasticsearch's form. Before they
//! are sent or compared with the server's, types that `OpenSearch` lacks are replaced here. Pure.

use serde_json::{Map, Value};

/// `OpenSearch`'s counterpart of `flattened`.
const FLAT_OBJECT: &str = "flat_object";

/// Returns `mapping` as `OpenSearch` accepts it: `flat_object`, which has no parameters, instead of `flattened`, and
/// no `ignore_malformed` for `boolean`.
pub fn for_opensearch(mapping: Value) -> Value {
    let Value::Object(mut field) = mapping else { return mapping };
    if let Some(Value::Object(properties)) = field.get_mut("properties") {
        for part in properties.values_mut() {
            *part = for_opensearch(part.take());
        }
    }
    if let Some(Value::Array(templates)) = field.get_mut("dynamic_templates") {
        let named = templates.iter_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut);
        for mapping in named.filter_map(|template| template.get_mut("mapping")) {
            *mapping = for_opensearch(mapping.take());
        }
    }
    match field.get("type").and_then(Value::as_str) {
        Some("flattened") => return serde_json::json!({ "type": FLAT_OBJECT }),
        Some("boolean") => drop(field.remove("ignore_malformed")),
        _ => {}
    }
    Value::Object(field)
}
