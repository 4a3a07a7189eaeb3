use super::*;

/// Returns a record with a good field and one of this type.
fn with(field: &Value) -> String {
    let fields = json!([{"name": "good", "type": "string"}, {"name": "bad", "type": field}]);
    json!({"type": "record", "name": "E", "fields": fields}).to_string()
}

#[test]
fn the_innermost_field_is_named() {
    let wrong = json!({"type": "enumeration", "name": "X"});
    let inner =
        json!({"type": "record", "name": "I", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": wrong}]});
    for (field, path) in [
        (wrong.clone(), "bad"),
        (inner.clone(), "bad.b"),
        (json!({"type": "array", "items": inner}), "bad.b"),
        (json!(["null", inner]), "bad.b"),
        (json!("string2"), "bad"),
    ] {
        let text = with(&field);
        assert!(Schema::parse(&text).is_err(), "{text}");
        assert_eq!(find(&text).as_deref(), Some(path), "{text}");
    }
}

#[test]
fn no_field_is_named_unless_exactly_one_is_at_fault() {
    assert_eq!(find("no JSON"), None);
    assert_eq!(find(r#""strin""#), None);
    let two = json!([{"name": "a", "type": "x"}, {"name": "b", "type": "y"}]);
    assert_eq!(find(&json!({"type": "record", "name": "E", "fields": two}).to_string()), None);
}
