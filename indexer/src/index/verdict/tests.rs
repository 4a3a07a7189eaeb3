//! Tests the comparison of documents with a mapping.

use super::*;

fn refused(mapping: &Value, document: &Value) -> Vec<String> {
    judge(mapping, document).into_iter().filter_map(|refusal| refusal.field).collect()
}

#[test]
fn each_type_accepts_what_elasticsearch_accepts() {
    for (field_type, taken, not_taken) in [
        ("long", json!([1, "2", null, [3]]), json!(["x", {}, true])),
        ("byte", json!([127, -128]), json!([129])),
        ("double", json!([1.5, "2.5"]), json!(["x"])),
        ("boolean", json!([true, "false"]), json!(["yes", 1])),
        ("keyword", json!(["a", 1, true]), json!([{ "a": 1 }])),
        ("date_nanos", json!([0, "2026-11-28"]), json!([10_413_792_000_000_i64, -1])),
        ("object", json!([{}]), json!(["text", 1])),
    ] {
        let mapping = json!({ "properties": { "f": { "type": field_type } } });
        for value in taken.as_array().unwrap() {
            assert!(refused(&mapping, &json!({ "f": value })).is_empty(), "{field_type} takes {value}");
        }
        for value in not_taken.as_array().unwrap() {
            assert_eq!(refused(&mapping, &json!({ "f": value })), ["f"], "{field_type} does not take {value}");
        }
    }
}

#[test]
fn unknown_fields_are_refused_if_the_mapping_is_strict() {
    let properties = json!({ "a": { "properties": { "b": { "type": "keyword" } } } });
    let document = json!({ "a": { "b": "x", "c": 1 }, "d": 2 });
    assert_eq!(refused(&json!({ "dynamic": "strict", "properties": properties }), &document), ["a.c", "d"]);
    assert!(refused(&json!({ "dynamic": "false", "properties": properties }), &document).is_empty());
}
