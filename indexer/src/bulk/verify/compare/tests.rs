use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn same(a: &str, b: &str) -> bool {
    let both =
        [is_same(&members(a).unwrap(), &members(b).unwrap()), is_same(&members(b).unwrap(), &members(a).unwrap())];
    assert_eq!(both[0], both[1], "the order of the two matters: {a} {b}");
    both[0]
}

fn likeness(a: &str, b: &str) -> Shared {
    shared(&members(a).unwrap(), &members(b).unwrap())
}

#[test]
fn equivalent_documents_are_the_same_event() {
    for (a, b) in [
        ("{}", "{}"),
        (r#"{"a":1,"b":2}"#, r#"{ "b": 2, "a": 1 }"#),
        (r#"{"a":1,"_ingested_at":"x","@timestamp":"x"}"#, r#"{"a":1,"_ingested_at":"y"}"#),
        (r#"{"a":null,"b":1}"#, r#"{"b":1}"#),
        (r#"{"a":{"b":null}}"#, r#"{"a":{}}"#),
        (r#"{"a":"é"}"#, r#"{"a":"\u00e9"}"#),
        (r#"{"a":1}"#, r#"{"a":1.0}"#),
        (r#"{"a":1e3}"#, r#"{"a":1000.00}"#),
        (r#"{"a":0.0}"#, r#"{"a":-0}"#),
        (r#"{"a":1e+21}"#, r#"{"a":1.0E21}"#),
        (r#"{"a":[1,{"b":2,"c":3}]}"#, r#"{"a":[1,{"c":3,"b":2}]}"#),
    ] {
        assert!(same(a, b), "{a} {b}");
    }
}

#[test]
fn documents_with_different_values_are_two_events() {
    for (a, b) in [
        (r#"{"a":1}"#, "{}"),
        (r#"{"a":1}"#, r#"{"a":2}"#),
        (r#"{"a":1}"#, r#"{"a":"1"}"#),
        (r#"{"a":false}"#, "{}"),
        (r#"{"a":[]}"#, "{}"),
        (r#"{"a":""}"#, r#"{"a":null}"#),
        (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#),
        (r#"{"a":[1]}"#, r#"{"a":[1,null]}"#),
        (r#"{"a":12345678901234567890.1}"#, r#"{"a":12345678901234567890.2}"#),
        (r#"{"a":9007199254740993}"#, r#"{"a":9007199254740992}"#),
        (r#"{"a":{"_ingested_at":1}}"#, r#"{"a":{"_ingested_at":2}}"#),
        (r#"{"a":1E9223372036854775808}"#, r#"{"a":2E9223372036854775808}"#),
    ] {
        assert!(!same(a, b), "{a} {b}");
    }
}

#[test]
fn fields_that_only_one_document_has_are_ignored() {
    for (a, b, expected) in [
        (r#"{"a":1,"b":2}"#, r#"{"a":1,"added":3}"#, Shared::Equal),
        (r#"{"a":1,"b":2}"#, r#"{"a":2,"b":2}"#, Shared::Different),
        (r#"{"a":1}"#, r#"{"added":3}"#, Shared::Nothing),
        (r#"{"a":1,"_ingested_at":"x"}"#, r#"{"_ingested_at":"x"}"#, Shared::Nothing),
        (r#"{"a":["y","x","x"]}"#, r#"{"a":["x","y"]}"#, Shared::Equal),
        (r#"{"a":["x"]}"#, r#"{"a":"x"}"#, Shared::Equal),
        (r#"{"a":[{"b":1},{"b":2}]}"#, r#"{"a":{"b":[1,2]}}"#, Shared::Equal),
        (r#"{"a.b":1}"#, r#"{"a":{"b":1}}"#, Shared::Equal),
        (r#"{"a":1.50}"#, r#"{"a":"1.5"}"#, Shared::Equal),
        (r#"{"a":"1.50"}"#, r#"{"a":1.5}"#, Shared::Equal),
        (r#"{"a":[1,2.0]}"#, r#"{"a":["1","2"]}"#, Shared::Equal),
        (r#"{"a":1e3}"#, r#"{"a":1000.0}"#, Shared::Equal),
        (r#"{"a":1}"#, r#"{"a":"2"}"#, Shared::Different),
        (r#"{"a":"007"}"#, r#"{"a":"7"}"#, Shared::Different),
        (r#"{"a":"1.0"}"#, r#"{"a":"1.00"}"#, Shared::Different),
        (r#"{"a":"1e3"}"#, r#"{"a":"1000"}"#, Shared::Different),
        (r#"{"a":0}"#, r#"{"a":""}"#, Shared::Different),
        (r#"{"a":0.5}"#, r#"{"a":".5"}"#, Shared::Different),
        (r#"{"a":"true"}"#, r#"{"a":true}"#, Shared::Different),
        (r#"{"a":null,"b":1}"#, r#"{"a":2,"b":1}"#, Shared::Equal),
    ] {
        assert_eq!(likeness(a, b), expected, "{a} {b}");
    }
}

/// As Elasticsearch 9.5.3 returns them, with the mapping that Penstock creates.
#[test]
fn a_synthetic_source_equals_what_was_written() {
    let ours = r#"{"t":"2026-01-02T03:04:05.678901Z","d":"2026-01-02","l":"2026-01-02T03:04:05.678","e":1767323045678.901,
        "k":true,"m":{"z":true,"y":7},"a":["2026-01-02","2026-01-01","2026-01-02"]}"#;
    let theirs = r#"{"t":"2026-01-02T03:04:05.678Z","d":"2026-01-02T00:00:00.000Z","l":"2026-01-02T03:04:05.678Z",
        "e":"2026-01-02T03:04:05.678Z","k":"true","m":{"y":"7","z":"true"},
        "a":["2026-01-01T00:00:00.000Z","2026-01-02T00:00:00.000Z","2026-01-02T00:00:00.000Z"]}"#;
    assert_eq!(likeness(ours, theirs), Shared::Equal);
    for (ours, theirs) in [
        (r#"{"t":"2026-01-02T03:04:05.679901Z"}"#, r#"{"t":"2026-01-02T03:04:05.678Z"}"#),
        (r#"{"t":"2026-01-02T03:04:05.678901Z"}"#, r#"{"t":"2026-01-02T03:04:05.678902Z"}"#),
        (r#"{"d":"2026-01-02"}"#, r#"{"d":"2026-01-03T00:00:00.000Z"}"#),
        (r#"{"k":true}"#, r#"{"k":"false"}"#),
        (r#"{"k":"true"}"#, r#"{"k":true}"#),
    ] {
        assert_eq!(likeness(ours, theirs), Shared::Different, "{ours} {theirs}");
    }
}

#[test]
fn deeply_nested_values_are_compared() {
    let deep = |depth: usize| format!("{}{}{}", r#"{"a":"#.repeat(depth), 1, "}".repeat(depth));
    assert_eq!(likeness(&deep(5_000), &deep(5_000)), Shared::Equal);
    assert_eq!(likeness(&deep(5_000), &deep(4_999)), Shared::Different);
    let list = |depth: usize| format!(r#"{{"a":{}1{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert_eq!(likeness(&list(5_000), &list(5_000)), Shared::Equal);
    assert_eq!(likeness(&list(5_000), &list(4_999)), Shared::Different);
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-zé\"\\\\]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..4).prop_map(Value::from_iter),
        ]
    })
}

fn objects() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map("[a-d]", values(), 0..4).prop_map(|map| map.into_iter().collect())
}

/// Returns the value with each object's members in reverse order, and with spaces.
fn rewritten(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let members: Vec<String> =
                map.iter().rev().map(|(name, value)| format!("{} : {}", json!(name), rewritten(value))).collect();
            format!("{{ {} }}", members.join(" , "))
        }
        Value::Array(items) => format!("[ {} ]", items.iter().map(rewritten).collect::<Vec<_>>().join(" , ")),
        leaf => leaf.to_string(),
    }
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            map.iter().filter(|(_, v)| !v.is_null()).map(|(name, v)| (name.clone(), without_nulls(v))).collect()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        leaf => leaf.clone(),
    }
}

proptest! {
    #[test]
    fn member_order_and_whitespace_do_not_matter(map in objects()) {
        let value = Value::Object(map);
        prop_assert!(same(&value.to_string(), &rewritten(&value)));
        prop_assert_ne!(likeness(&value.to_string(), &rewritten(&value)), Shared::Different);
    }

    #[test]
    fn documents_are_the_same_only_if_their_values_are_equal(a in objects(), b in objects()) {
        let (a, b) = (Value::Object(a), Value::Object(b));
        // To serde_json, -0.0 and 0.0, or 1 and 1.0, are different values, but they are the same numbers.
        let equal = without_nulls(&a) == without_nulls(&b);
        let is_same = same(&a.to_string(), &b.to_string());
        prop_assert!(is_same || !equal);
        if is_same {
            prop_assert_ne!(likeness(&a.to_string(), &b.to_string()), Shared::Different);
        }
    }

    #[test]
    fn a_changed_member_makes_another_event(map in objects(), name in "[a-d]", value in 1_i64..) {
        let a = Value::Object(map);
        let mut b = a.clone();
        b[&name] = json!({"z": value});
        prop_assert_eq!(same(&a.to_string(), &b.to_string()), a[&name] == b[&name]);
    }
}
