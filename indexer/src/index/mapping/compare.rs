//! Finds what one mapping has that another lacks or contradicts, and merges the two.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::fragment::{has_parts, type_of};
use super::widen::{holds, widen};
use crate::config::FieldOverride;

/// The differences between a wanted and a live mapping.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    /// Fields that the live mapping lacks, with their types.
    pub missing: Vec<(String, String)>,
    /// Fields that the live mapping has with another type.
    pub conflicts: Vec<Conflict>,
    /// What must be added to the live mapping; `None` if nothing is missing.
    pub addition: Option<Value>,
}

/// A field with two types.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// Its path.
    pub path: String,
    /// The type that the schema wants.
    pub wanted: String,
    /// The type that the live mapping has.
    pub live: String,
}

/// Returns what `live` lacks of `wanted`, and where the two contradict. A wider number in `live` counts as neither.
pub fn compare(wanted: &Value, live: &Value) -> Difference {
    let mut difference = Difference::default();
    let mut addition = Map::new();
    let properties = missing_parts("", wanted, live, &mut difference);
    if !properties.is_empty() {
        addition.insert("properties".to_owned(), Value::Object(properties));
    }
    // Dynamic templates are replaced as a whole.
    let templates = merged_templates(live, wanted);
    if templates.len() > self::templates(live).len() {
        addition.insert("dynamic_templates".to_owned(), Value::Array(templates));
    }
    // Fields that the mapping leaves out must not be a reason to refuse a document.
    let leaves_out = |mapping: &Value| mapping.get("dynamic").is_some_and(|dynamic| dynamic == "false");
    if leaves_out(wanted) && !leaves_out(live) {
        addition.insert("dynamic".to_owned(), json!("false"));
    }
    if !addition.is_empty() {
        difference.addition = Some(Value::Object(addition));
    }
    difference
}

fn missing_parts(path: &str, wanted: &Value, live: &Value, difference: &mut Difference) -> Map<String, Value> {
    let mut missing = Map::new();
    for (name, field) in parts(wanted) {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let addition = match parts(live).get(name) {
            Some(known) => missing_of_field(&path, field, known, difference),
            None => {
                difference.missing.push((path, type_of(field).to_owned()));
                Some(field.clone())
            }
        };
        if let Some(addition) = addition {
            missing.insert(name.clone(), addition);
        }
    }
    missing
}

fn missing_of_field(path: &str, wanted: &Value, live: &Value, difference: &mut Difference) -> Option<Value> {
    let types = [type_of(wanted), type_of(live)];
    if !holds(types[1], types[0]) {
        let [wanted, live] = types.map(str::to_owned);
        difference.conflicts.push(Conflict { path: path.to_owned(), wanted, live });
        return None;
    }
    if has_parts(wanted) {
        let parts = missing_parts(path, wanted, live, difference);
        if parts.is_empty() {
            return None;
        }
        let mut addition = json!({ "properties": parts });
        if types[1] == "nested" {
            addition["type"] = json!("nested");
        }
        return Some(addition);
    }
    let subfields = |field: &Value| field.get("fields").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut known = subfields(live);
    let lacking: Vec<_> = subfields(wanted).into_iter().filter(|(name, _)| !known.contains_key(name)).collect();
    if lacking.is_empty() {
        return None;
    }
    for (name, subfield) in lacking {
        difference.missing.push((format!("{path}.{name}"), type_of(&subfield).to_owned()));
        known.insert(name, subfield);
    }
    // The other attributes of the live field must be repeated unchanged.
    let mut addition = live.clone();
    addition["fields"] = Value::Object(known);
    Some(addition)
}

/// Returns `base` with the additional fields of `added`. A field in both is widened if possible, and otherwise stays
/// as in `base`. A field whose type is `chosen` by the config becomes as in `added`.
pub fn merge(base: &Value, added: &Value, chosen: &BTreeMap<String, FieldOverride>) -> Value {
    let mut merged = merge_parts("", base, added, chosen);
    let templates = merged_templates(base, added);
    if !templates.is_empty() {
        merged["dynamic_templates"] = Value::Array(templates);
    }
    merged
}

fn merge_parts(path: &str, base: &Value, added: &Value, chosen: &BTreeMap<String, FieldOverride>) -> Value {
    let mut properties = parts(base).clone();
    for (name, field) in parts(added) {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let merged = match properties.get(name) {
            None => field.clone(),
            Some(_) if chosen.contains_key(&path) && !has_parts(field) => field.clone(),
            Some(known) if has_parts(known) && has_parts(field) => merge_parts(&path, known, field, chosen),
            Some(known) if type_of(known) == type_of(field) => known.clone(),
            Some(known) => widen(known, field).unwrap_or_else(|| known.clone()),
        };
        properties.insert(name.clone(), merged);
    }
    let mut merged = if base.is_object() { base.clone() } else { json!({}) };
    if !properties.is_empty() {
        merged["properties"] = Value::Object(properties);
        // Elasticsearch returns it without the type.
        if let Some(object) = merged.as_object_mut()
            && object.get("type").is_some_and(|name| name == "object")
        {
            object.remove("type");
        }
    }
    merged
}

fn parts(field: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    field.get("properties").and_then(Value::as_object).unwrap_or(&NONE)
}

fn templates(mapping: &Value) -> &[Value] {
    mapping.get("dynamic_templates").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Returns the dynamic templates of `added` that `base` lacks by name, followed by those of `base`. The first match
/// counts.
fn merged_templates(base: &Value, added: &Value) -> Vec<Value> {
    let name = |template: &Value| template.as_object().and_then(|named| named.keys().next().cloned());
    let known: Vec<_> = templates(base).iter().map(name).collect();
    let lacking = templates(added).iter().filter(|template| !known.contains(&name(template)));
    lacking.chain(templates(base)).cloned().collect()
}
