//! Converts field names with dots, which an index with `subobjects: false` returns in its mapping. For documents
//! there is no difference. Pure.

use serde_json::{Map, Value, json};

/// Returns `mapping` with such fields as objects: `{"a.b": …}` as `{"a": {"properties": {"b": …}}}`. Our own fields
/// have no dots in their names.
pub fn nested(mut mapping: Value) -> Value {
    let Some(properties) = mapping.get_mut("properties").and_then(Value::as_object_mut) else { return mapping };
    let mut fields = Map::new();
    for (name, field) in std::mem::take(properties) {
        insert(&mut fields, &name, nested(field));
    }
    *properties = fields;
    mapping
}

fn insert(fields: &mut Map<String, Value>, name: &str, field: Value) {
    let Some((object, rest)) = name.split_once('.') else {
        fields.insert(name.to_owned(), field);
        return;
    };
    let object = fields.entry(object).or_insert_with(|| json!({}));
    let properties = object.as_object_mut().map(|object| object.entry("properties").or_insert_with(|| json!({})));
    if let Some(Value::Object(fields)) = properties {
        insert(fields, rest, field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_dots_become_nested_objects() {
        let (keyword, long) = (json!({ "type": "keyword" }), json!({ "type": "long" }));
        let flat = json!({ "dynamic": "strict", "properties": {
            "a.b.c": keyword, "a.d": long, "e": { "properties": { "f.g": long } }, "h": keyword
        } });
        let expected = json!({ "dynamic": "strict", "properties": {
            "a": { "properties": { "b": { "properties": { "c": keyword } }, "d": long } },
            "e": { "properties": { "f": { "properties": { "g": long } } } },
            "h": keyword,
        } });
        assert_eq!(nested(flat), expected);
        assert_eq!(nested(expected.clone()), expected);
        assert_eq!(nested(json!({})), json!({}));
    }
}
