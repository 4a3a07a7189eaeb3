//! Finds the common type of two fields: the narrowest type that accepts the values of both.

use serde_json::{Map, Value, json};

use super::fragment::{has_parts, keyword, object, type_of, unsearchable};

/// Returns a field that accepts the values of either field, or `None` if no type does.
pub(super) fn widen(one: &Value, other: &Value) -> Option<Value> {
    let types = [type_of(one), type_of(other)];
    if has_parts(one) && has_parts(other) && types[0] == types[1] {
        return objects(one, other);
    }
    if types[0] == types[1] {
        return Some(as_lenient(one.clone(), [one, other]));
    }
    if types.contains(&type_of(&unsearchable())) {
        return Some(unsearchable());
    }
    if let Some(name) = numbers(types) {
        return Some(as_lenient(json!({ "type": name }), [one, other]));
    }
    // A keyword takes text, numbers and booleans alike.
    types.iter().all(|name| is_scalar(name)).then(keyword)
}

/// Returns `field`, which ignores values that it cannot hold if one of `parts` does. Decimals beyond a double are an
/// example.
fn as_lenient(mut field: Value, parts: [&Value; 2]) -> Value {
    const KEY: &str = "ignore_malformed";
    if parts.iter().any(|part| part.get(KEY) == Some(&Value::Bool(true))) {
        field[KEY] = json!(true);
    }
    field
}

/// Returns the wider of two types of numbers. An integer fits into a double but not into a float.
fn numbers(types: [&str; 2]) -> Option<&'static str> {
    match types {
        ["integer", "long"] | ["long", "integer"] => Some("long"),
        ["integer" | "long" | "float", "double"] | ["double", "integer" | "long" | "float"] => Some("double"),
        ["integer" | "long", "float"] | ["float", "integer" | "long"] => Some("double"),
        _ => None,
    }
}

/// Returns whether values of the type are text, numbers or booleans. Considers only the types that schemas are mapped
/// to.
fn is_scalar(name: &str) -> bool {
    matches!(name, "boolean" | "integer" | "long" | "float" | "double" | "keyword" | "date" | "binary")
}

/// Returns whether `wide` accepts all values of `narrow` and searches numbers as numbers. Any text type accepts the
/// values of a keyword.
pub(super) fn holds(wide: &str, narrow: &str) -> bool {
    wide == narrow || numbers([wide, narrow]) == Some(wide) || narrow == "keyword" && is_text(wide)
}

/// Returns whether fields of the type accept any text, analysed or as a whole.
fn is_text(name: &str) -> bool {
    matches!(name, "text" | "match_only_text" | "wildcard" | "search_as_you_type" | "annotated_text")
}

fn objects(one: &Value, other: &Value) -> Option<Value> {
    // A map as an object accepts any name.
    let dynamic = one.get("dynamic").or_else(|| other.get("dynamic"));
    let fields = |object: &Value| object.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut common: Map<String, Value> = fields(one);
    for (name, field) in fields(other) {
        let wide = match common.get(&name) {
            Some(known) => widen(known, &field)?,
            None => field,
        };
        common.insert(name, wide);
    }
    let mut object = object(common);
    if let Some(dynamic) = dynamic {
        object["dynamic"] = dynamic.clone();
    }
    if type_of(one) == "nested" {
        object["type"] = json!("nested");
    }
    Some(object)
}
