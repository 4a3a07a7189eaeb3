use serde_json::json;

use super::*;

fn found(body: &Value, pointer: Option<&str>) -> Value {
    serde_json::from_str(&schema(body.to_string().as_bytes(), pointer).unwrap()).unwrap()
}

#[test]
fn a_schema_is_found_in_every_form_of_answer() {
    let avro = json!({"type": "record", "name": "E", "fields": []});
    assert_eq!(found(&avro, None), avro);
    assert_eq!(found(&json!({"schema": avro}), None), avro);
    assert_eq!(found(&json!({"schema": avro.to_string(), "version": 3}), None), avro);
    assert_eq!(found(&json!({"items": [{"a/b": avro}]}), Some("/items/0/a~1b")), avro);
    assert_eq!(found(&json!({"schema": 1, "latest": avro.to_string()}), Some("/latest")), avro);
    assert_eq!(found(&avro, Some("")), avro);
}

#[test]
fn an_answer_without_a_schema_is_explained() {
    for (body, pointer, words) in [
        ("<html>", None, "not JSON"),
        ("", None, "not JSON"),
        ("42", None, "holds no schema"),
        (r#"{"schema": null}"#, None, "holds no schema"),
        (r#"{"schema": "see the portal"}"#, None, "holds no schema"),
        (r#"{"a": 1}"#, Some("/b"), "/b (cxone.schema_pointer)"),
    ] {
        let reason = schema(body.as_bytes(), pointer).unwrap_err();
        assert!(reason.contains(words), "{body}: {reason}");
    }
}
