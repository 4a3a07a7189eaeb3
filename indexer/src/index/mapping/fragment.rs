//! The JSON of each field type in a mapping.

use avro::FieldType;
use serde_json::{Map, Value, json};

use crate::config::FieldOverride;

/// The longest string that can be searched, in UTF-16 code units. At four bytes each, it is just within Lucene's
/// limit of 32,766 bytes per term, beyond which a document is refused. A longer string stays in the document and is
/// not indexed.
const IGNORE_ABOVE: u32 = 8_191;
/// The same limit for the values of `flattened`, where a term also holds the key.
const IGNORE_ABOVE_FLATTENED: u32 = 4_096;
/// The same limit for the subfield of `text`. Longer text is not useful as a keyword.
const IGNORE_ABOVE_SUBFIELD: u32 = 256;
/// How deep the values of a map may be nested: as deep as an event may be. Elasticsearch refuses deeper values.
const FLATTENED_DEPTH: u32 = 200;

pub(super) fn keyword() -> Value {
    json!({ "type": "keyword", "ignore_above": IGNORE_ABOVE })
}

pub(super) fn flattened() -> Value {
    json!({ "type": "flattened", "ignore_above": IGNORE_ABOVE_FLATTENED, "depth_limit": FLATTENED_DEPTH })
}

/// Returns an object that stays in the document and is not indexed. It accepts any value, not only objects.
pub(super) fn unsearchable() -> Value {
    json!({ "type": "object", "enabled": false })
}

/// Returns an object with these fields. Elasticsearch omits the type if there are fields.
pub(super) fn object(properties: Map<String, Value>) -> Value {
    if properties.is_empty() { json!({ "type": "object" }) } else { json!({ "properties": properties }) }
}

/// Returns a time field. A time that Elasticsearch cannot hold, for example the smallest long, stays in the document
/// and is not indexed.
pub(super) fn date() -> Value {
    json!({ "type": "date", "ignore_malformed": true })
}

/// Returns a field of this type.
pub(super) fn of_type(field_type: FieldType) -> Value {
    let plain = |name: &str| json!({ "type": name });
    match field_type {
        FieldType::Boolean => plain("boolean"),
        FieldType::Integer => plain("integer"),
        FieldType::Long => plain("long"),
        FieldType::Float => plain("float"),
        FieldType::Double => plain("double"),
        FieldType::WideDouble => json!({ "type": "double", "ignore_malformed": true }),
        FieldType::Keyword => keyword(),
        FieldType::Binary => plain("binary"),
        FieldType::Date => date(),
        FieldType::Duration => {
            json!({ "properties": {
                "months": plain("long"), "days": plain("long"), "milliseconds": plain("long")
            } })
        }
    }
}

/// Returns a field as the config defines it.
pub(super) fn of_override(wanted: &FieldOverride) -> Value {
    let mut field = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            field.insert(name.to_owned(), value);
        }
    };
    set("type", Some(json!(wanted.field_type)));
    set("format", wanted.format.as_ref().map(|value| json!(value)));
    set("scaling_factor", wanted.scaling_factor.map(|value| json!(value)));
    set("analyzer", wanted.analyzer.as_ref().map(|value| json!(value)));
    set("normalizer", wanted.normalizer.as_ref().map(|value| json!(value)));
    set("index", wanted.index.map(Value::from));
    set("doc_values", wanted.doc_values.map(Value::from));
    set("enabled", wanted.enabled.map(Value::from));
    set("ignore_malformed", wanted.ignore_malformed.map(Value::from));
    let ignore_above = |default: Option<u32>| wanted.ignore_above.or(default).map(Value::from);
    match wanted.field_type.as_str() {
        "text" => {
            let longest = ignore_above(Some(IGNORE_ABOVE_SUBFIELD));
            set("fields", Some(json!({ "keyword": { "type": "keyword", "ignore_above": longest } })));
        }
        "keyword" => set("ignore_above", ignore_above(Some(IGNORE_ABOVE))),
        "flattened" => set("ignore_above", ignore_above(Some(IGNORE_ABOVE_FLATTENED))),
        _ => set("ignore_above", ignore_above(None)),
    }
    Value::Object(field)
}

/// Returns the dynamic template for the values of the map at `path`, so that the first value does not decide the
/// type. `None` if Elasticsearch detects the type reliably.
pub(super) fn template_of_values(path: &str, field_type: FieldType) -> Option<Value> {
    let json_type = match field_type {
        FieldType::Integer | FieldType::Long => "long",
        FieldType::Float | FieldType::Double | FieldType::WideDouble => "double",
        FieldType::Keyword | FieldType::Binary | FieldType::Date => "string",
        FieldType::Boolean | FieldType::Duration => return None,
    };
    let template =
        json!({ "path_match": format!("{path}.*"), "match_mapping_type": json_type, "mapping": of_type(field_type) });
    let mut named = Map::new();
    named.insert(format!("values_of_{path}"), template);
    Some(Value::Object(named))
}

/// Returns the type of a field, for display and comparison.
pub(super) fn type_of(field: &Value) -> &str {
    match field.get("type").and_then(Value::as_str) {
        None | Some("object") if field.get("enabled") == Some(&Value::Bool(false)) => "object (enabled: false)",
        None => "object",
        Some(name) => name,
    }
}

/// Returns whether a field is an object whose parts are fields.
pub(super) fn has_parts(field: &Value) -> bool {
    matches!(type_of(field), "object" | "nested")
}

/// Returns how many fields a mapping has by the rule of `index.mapping.total_fields.limit`: objects and subfields
/// count too.
pub(in crate::index) fn count_fields(mapping: &Value) -> usize {
    let below = |key: &str| mapping.get(key).and_then(Value::as_object).into_iter().flat_map(Map::values);
    below("properties").map(|field| 1 + count_fields(field)).sum::<usize>() + below("fields").count()
}
