//! What the types of fields look like in a mapping.

use avro::FieldType;
use serde_json::{Map, Value, json};

use crate::config::FieldOverride;

/// The longest string that can be searched, in UTF-16 code units: at four bytes each they are just within Lucene's
/// limit of 32,766 bytes a term, beyond which a document would be refused. A longer one is kept in the document and
/// left out of the index.
const IGNORE_ABOVE: u32 = 8_191;
/// The same for the values of `flattened`, where a term holds the key too.
const IGNORE_ABOVE_FLATTENED: u32 = 4_096;
/// The same for the subfield of `text`: longer text is no keyword.
const IGNORE_ABOVE_SUBFIELD: u32 = 256;
/// How deep the values of a map may be nested: as deep as an event may be. Elasticsearch refuses what is deeper than
/// this.
const FLATTENED_DEPTH: u32 = 200;

pub(super) fn keyword() -> Value {
    json!({ "type": "keyword", "ignore_above": IGNORE_ABOVE })
}

pub(super) fn flattened() -> Value {
    json!({ "type": "flattened", "ignore_above": IGNORE_ABOVE_FLATTENED, "depth_limit": FLATTENED_DEPTH })
}

/// An object that is kept in the document and left out of the index. It takes any value, not objects alone.
pub(super) fn unsearchable() -> Value {
    json!({ "type": "object", "enabled": false })
}

/// An object with these fields. Elasticsearch leaves the type out where there are some.
pub(super) fn object(properties: Map<String, Value>) -> Value {
    if properties.is_empty() { json!({ "type": "object" }) } else { json!({ "properties": properties }) }
}

/// A time. One that Elasticsearch cannot hold, such as the least of all longs, is kept in the document and left out of
/// the index.
pub(super) fn date() -> Value {
    json!({ "type": "date", "ignore_malformed": true })
}

/// A field of this type.
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

/// A field as the config wants it.
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

/// Returns the dynamic template of the values of the map at `path`, so that the first value does not decide for the
/// others. `None` if it needs none: Elasticsearch finds out by itself.
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

/// Returns the type of a field, for people and for comparing.
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

/// Returns how many fields a mapping has as `index.mapping.total_fields.limit` counts them: objects and subfields are
/// fields too.
pub(in crate::index) fn count_fields(mapping: &Value) -> usize {
    let below = |key: &str| mapping.get(key).and_then(Value::as_object).into_iter().flat_map(Map::values);
    below("properties").map(|field| 1 + count_fields(field)).sum::<usize>() + below("fields").count()
}
