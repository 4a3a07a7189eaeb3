//! A mapping as `OpenSearch` takes it. Mappings are made, compared and merged as Elasticsearch's; what a server does
//! not know is replaced here, before it is sent or compared with what the server has. Pure.

use serde_json::{Map, Value};

/// What `OpenSearch` has for `flattened`.
const FLAT_OBJECT: &str = "flat_object";

/// Returns `mapping` as `OpenSearch` takes it: `flat_object` instead of `flattened`, which has no parameters there, and
/// no `ignore_malformed` of a `boolean`.
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
