//! Rules for fields, each at each kind of position.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value as Json, json};
use sha2::Sha256;

use super::*;

mod applied;

const SECRET: &[u8] = b"0123456789abcdef";

const EVENT: &str = r#"{"type":"record","name":"Event","fields":[
    {"name":"first","type":"string"},
    {"name":"maybe","type":["null","string"]},
    {"name":"number","type":"int"},
    {"name":"list","type":{"type":"array","items":{"type":"array","items":["null","string"]}}},
    {"name":"map","type":{"type":"map","values":"string"}},
    {"name":"one","type":{"type":"record","name":"Person","fields":[
        {"name":"name","type":"string"},{"name":"next","type":["null","Person"]}]}},
    {"name":"many","type":{"type":"array","items":"Person"}},
    {"name":"any","type":["null","string","Person",{"type":"array","items":"string"}]}
]}"#;

fn rules(rules: &Json) -> FieldRules {
    tried(rules).unwrap()
}

fn tried(rules: &Json) -> Result<FieldRules, RuleError> {
    FieldRules::new(&serde_json::from_value(rules.clone()).unwrap(), Some(SECRET))
}

fn person(name: &str, next: &[u8]) -> Vec<u8> {
    [counted(name.as_bytes()), next.to_vec()].concat()
}

/// Returns an event with all kinds of fields.
fn event() -> Vec<u8> {
    let text = |text: &str| counted(text.as_bytes());
    [
        text("a \"quoted\" first"),
        long(1),
        text("maybe"),
        long(1234),
        [long(1), long(2), long(0), long(1), text("item"), long(0), long(0)].concat(),
        [long(3), text("a"), text("1"), text("b"), text("2"), text("c"), text("3"), long(0)].concat(),
        person("one", &[long(1), person("inner \"i\"", &long(0))].concat()),
        [long(2), person("x", &long(0)), person("y", &long(0)), long(0)].concat(),
        long(3),
        [long(1), text("in any"), long(0)].concat(),
    ]
    .concat()
}

fn by(schema: &Schema, datum: &[u8]) -> Json {
    let mut out = Vec::new();
    write_members(schema, datum, LIMITS, &mut out).unwrap();
    document(std::str::from_utf8(&out).unwrap())
}

fn document(members: &str) -> Json {
    serde_json::from_str(&format!("{{{members}}}")).unwrap()
}

/// Returns the document of [`event`] under the rules `given`, each of which must match a field.
fn ruled(given: &Json) -> Json {
    let Ruled { schema, unmet } = schema(EVENT).with_rules(&rules(given)).unwrap();
    assert_eq!(unmet, Vec::<String>::new());
    by(&schema, &event())
}

fn hmac(text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Returns the document of [`event`] with these values instead of its own; null removes the field.
fn but(changes: &Json) -> Json {
    let mut document = by(&schema(EVENT), &event());
    for (pointer, value) in changes.as_object().unwrap() {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = document.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            Json::Null => drop(parent.remove(name).unwrap()),
            value => drop(parent.insert(name.to_owned(), value.clone())),
        }
    }
    document
}

fn assert_each<const N: usize>(cases: [(Json, Json); N]) {
    for (given, expected) in cases {
        assert_eq!(ruled(&given), but(&expected), "{given}");
    }
}

#[test]
fn each_rule_has_its_effect_on_a_field() {
    assert_each([
        (json!({"first": "drop"}), json!({"/first": null})),
        (
            json!({"first": "drop", "maybe": "drop", "number": "drop"}),
            json!({"/first": null, "/maybe": null, "/number": null}),
        ),
        (json!({"any": "drop"}), json!({"/any": null})),
        (
            json!({"first": "mask", "maybe": "mask", "number": "mask"}),
            json!({"/first": "***", "/maybe": "***", "/number": "***"}),
        ),
        (
            json!({"first": {"keep_last": 5}, "number": {"keep_last": 2}}),
            json!({"/first": "***first", "/number": "***34"}),
        ),
        (json!({"maybe": {"keep_last": 3}}), json!({"/maybe": "***"})),
        (json!({"first": "hash"}), json!({"/first": hmac("a \"quoted\" first")})),
        (json!({"number": "hash"}), json!({"/number": hmac("1234")})),
        (json!({"first": {"rename": "last"}}), json!({"/first": null, "/last": "a \"quoted\" first"})),
        // The name is free because its field is dropped.
        (
            json!({"first": {"rename": "maybe"}, "maybe": "drop"}),
            json!({"/first": null, "/maybe": "a \"quoted\" first"}),
        ),
    ]);
}

#[test]
fn paths_lead_through_lists_maps_records_and_unions() {
    assert_each([
        // Items are masked one by one, and nulls among them stay.
        (json!({"list": "mask"}), json!({"/list": [[null, "***"]]})),
        (json!({"list": "hash"}), json!({"/list": [[null, hmac("item")]]})),
        (json!({"list": "drop"}), json!({"/list": null})),
        (json!({"map": "mask"}), json!({"/map": "***"})),
        (json!({"map": "drop"}), json!({"/map": null})),
        (json!({"map.*": "mask"}), json!({"/map": {"a": "***", "b": "***", "c": "***"}})),
        (json!({"map.*": "drop"}), json!({"/map": {}})),
        (json!({"map.a": "drop", "map.b": "hash"}), json!({"/map": {"b": hmac("2"), "c": "3"}})),
        (json!({"map.*": "drop", "map.b": "keep"}), json!({"/map": {"b": "2"}})),
        (json!({"one": "mask"}), json!({"/one": "***"})),
        (json!({"one.name": "mask"}), json!({"/one/name": "***"})),
        (json!({"one.next.name": "mask"}), json!({"/one/next/name": "***"})),
        (
            json!({"one.name": "drop", "one.next": {"rename": "other"}}),
            json!({"/one": {"other": {"name": "inner \"i\"", "next": null}}}),
        ),
        (
            json!({"one": {"rename": "two"}, "one.name": "mask", "one.next": "drop"}),
            json!({"/one": null, "/two": {"name": "***"}}),
        ),
        (
            json!({"many.name": "mask"}),
            json!({"/many": [{"name": "***", "next": null}, {"name": "***", "next": null}]}),
        ),
        (json!({"many": "mask"}), json!({"/many": ["***", "***"]})),
        (json!({"any": "mask"}), json!({"/any": ["***"]})),
        (
            json!({"*.name": "mask"}),
            json!({"/one/name": "***",
            "/many": [{"name": "***", "next": null}, {"name": "***", "next": null}]}),
        ),
        (
            json!({"*": "drop", "number": "keep", "one": "keep", "one.next": "drop"}),
            json!({"/first": null, "/maybe": null, "/list": null, "/map": null, "/many": null, "/any": null,
                "/one": {"name": "one"}}),
        ),
    ]);
}

#[test]
fn a_shared_type_is_hidden_only_where_the_rule_applies() {
    let document = ruled(&json!({"one.name": "mask"}));
    assert_eq!(document["many"][0]["name"], "x");
    assert_eq!(document["one"]["next"]["name"], "inner \"i\"");
}

#[test]
fn an_event_that_is_not_a_record_is_hidden_as_value() {
    let text = schema(r#""string""#);
    let written = |given: Json| by(&text.with_rules(&rules(&given)).unwrap().schema, &counted(b"text"));
    assert_eq!(written(json!({"value": "mask"})), json!({"value": "***"}));
    assert_eq!(written(json!({"*": {"keep_last": 2}})), json!({"value": "***xt"}));
    for given in [json!({"value": "drop"}), json!({"value": {"rename": "v"}})] {
        let error = text.with_rules(&rules(&given)).unwrap_err().to_string();
        assert!(error.contains("cannot be dropped or renamed"), "{error}");
    }
    let both = schema(r#"["null","string",{"type":"record","name":"R","fields":[{"name":"f","type":"int"}]}]"#);
    let both = both.with_rules(&rules(&json!({"value": "mask", "f": "mask"}))).unwrap();
    assert_eq!(both.unmet, Vec::<String>::new());
    let written = |datum: &[u8]| by(&both.schema, datum);
    assert_eq!(written(&[0]), json!({}));
    assert_eq!(written(&[&[2][..], &counted(b"text")].concat()), json!({"value": "***"}));
    assert_eq!(written(&[4, 14]), json!({"f": "***"}));
}

#[test]
fn the_outline_describes_the_document_after_rules() {
    let given = json!({"first": "drop", "number": "hash", "one": {"rename": "two"}, "map.*": "mask"});
    let ruled = schema(EVENT).with_rules(&rules(&given)).unwrap().schema;
    let Outline::Record(fields) = ruled.root().outline() else { panic!("no record") };
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["maybe", "number", "list", "map", "two", "many", "any"]);
    assert!(matches!(fields[1].1.outline(), Outline::Value(Kind::Text)));
    let Outline::Map(values) = fields[3].1.outline() else { panic!("no map") };
    assert!(matches!(values.outline(), Outline::Value(Kind::Text)));
}

#[test]
fn a_hidden_field_can_still_be_key_or_time() {
    let given = json!({"first": "drop", "number": "mask"});
    let ruled = schema(EVENT).with_rules(&rules(&given)).unwrap().schema;
    let (key, time) = (ruled.field("first").unwrap(), ruled.time_field("number").unwrap());
    let datum = event();
    let found = validate(&ruled, &datum, LIMITS, Some(&key)).unwrap();
    assert_eq!(found.as_deref(), Some("a \"quoted\" first"));
    let mut out = Vec::new();
    let found = write_members_and_find(&ruled, &datum, LIMITS, JsonRules::default(), Some(&time), &mut out).unwrap();
    assert_eq!(found, Some(FoundField::Integer(1234)));
    for (text, expected) in [("a \"quoted\" first", true), ("1234", true), ("maybe", false), ("***", false)] {
        assert_eq!(is_hidden(&ruled, &datum, LIMITS, text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn the_hash_of_long_text_does_not_depend_on_the_server() {
    let long_text = "x".repeat(20_000);
    let datum = [long(2), counted(b"a"), counted(long_text.as_bytes()), counted(b"b"), counted(b"y"), long(0)].concat();
    let map = schema(r#"{"type":"record","name":"R","fields":[{"name":"m","type":{"type":"map","values":"string"}}]}"#);
    let ruled = map.with_rules(&rules(&json!({"m.a": "hash"}))).unwrap().schema;
    for pieces_in_maps in [false, true] {
        let mut out = Vec::new();
        let json = JsonRules { pieces_in_maps, ..JsonRules::default() };
        write_members_and_find(&ruled, &datum, LIMITS, json, None, &mut out).unwrap();
        let written = document(std::str::from_utf8(&out).unwrap());
        assert_eq!(written, json!({"m": {"a": hmac(&long_text), "b": "y"}}));
    }
}

#[test]
fn errors_with_hiding_rules_show_no_keys_or_numbers() {
    let schema = schema(EVENT);
    let mut datum = event();
    // The key b becomes a, which already exists.
    let at = datum.windows(4).position(|bytes| bytes == b"\x02b\x022").unwrap();
    datum[at + 1] = b'a';
    let plain = written(&schema, &datum, LIMITS).unwrap_err();
    assert_eq!(plain.path, r#"map["a"]"#);
    let write = |given: Json| {
        let ruled = schema.with_rules(&rules(&given)).unwrap().schema;
        write_members(&ruled, &datum, LIMITS, &mut Vec::new()).unwrap_err()
    };
    let error = write(json!({"first": "mask"}));
    assert_eq!((error.path.as_str(), error.offset, error.kind), ("map[*]", plain.offset, plain.kind));
    assert_eq!(error.to_string(), format!("duplicate_key at byte {}, field map[*]", plain.offset));
    assert_eq!(write(json!({"first": {"rename": "last"}})), plain);
}

#[test]
fn duplicate_names_are_refused_and_unmatched_rules_reported() {
    let schema = schema(EVENT);
    let refused = |given: Json| schema.with_rules(&rules(&given)).unwrap_err().to_string();
    assert!(refused(json!({"first": {"rename": "maybe"}})).contains("would be called maybe"));
    assert!(refused(json!({"first": {"rename": "x"}, "maybe": {"rename": "x"}})).contains("would be called x"));
    assert!(refused(json!({"map.a": {"rename": "x"}})).contains("the key of a map cannot be renamed"));
    let ruled = schema.with_rules(&rules(&json!({"fist": "mask", "first.name": "mask", "map.any": "mask"}))).unwrap();
    assert_eq!(ruled.unmet, ["first.name", "fist"]);
}

#[test]
fn contradictory_and_invalid_rules_are_refused() {
    let problem = |given: Json| {
        let error = tried(&given).unwrap_err();
        (error.path.unwrap_or_default(), error.problem)
    };
    for (given, path, says) in [
        (json!({"a": "mask", "a.b": "hash"}), "a.b", "the rule of a hides everything below it"),
        (json!({"a.*": "drop", "a.b.c": "keep"}), "a.b.c", "the rule of a.* hides everything below it"),
        (json!({"*": "drop", "*.b": "mask"}), "*.b", "the rule of * hides everything below it"),
        (json!({"a..b": "mask"}), "a..b", "is not a path"),
        (json!({"": "mask"}), "", "is not a path"),
        (json!({"a": {"keep_last": 0}}), "a", "at least 1"),
        (json!({"a": {"rename": "b.c"}}), "a", "cannot be renamed"),
        (json!({"a": {"rename": "_id"}}), "a", "reserved"),
        (json!({"a": {"rename": ""}}), "a", "cannot be renamed"),
        (json!({"a": {"rename": " "}}), "a", "cannot be renamed"),
        (json!({"a.*": {"rename": "b"}}), "a.*", "not *"),
    ] {
        let (found, problem) = problem(given.clone());
        assert!(found == path && problem.contains(says), "{given}: {found}: {problem}");
    }
    let rules: BTreeMap<String, FieldRule> = [("a".to_owned(), FieldRule::Hash)].into();
    assert_eq!(FieldRules::new(&rules, None).unwrap_err().path, None);
    assert!(FieldRules::new(&rules, Some(b"short")).unwrap_err().problem.contains("16 bytes"));
    assert!(tried(&json!({"a": "mask", "a.*": "mask"})).is_err());
    assert!(tried(&json!({"a.*": "drop", "a.b": "keep", "a.b.c": "mask"})).is_ok());
}

#[test]
fn debug_output_hides_the_secret() {
    let rules = rules(&json!({"first": "hash"}));
    let ruled = schema(EVENT).with_rules(&rules).unwrap();
    let text = format!("{rules:?} {ruled:?} {:?}", ruled.schema.nodes);
    assert!(text.contains("[redacted]") && !text.contains("0123456789abcdef"), "{text}");
    assert!(text.contains("Some(\"Event\")"), "{text}");
}

#[test]
fn rules_are_equal_only_with_the_same_secret() {
    let given = BTreeMap::from([("a".to_owned(), FieldRule::Hash)]);
    let with = |secret: &[u8]| FieldRules::new(&given, Some(secret)).unwrap();
    assert_eq!(with(SECRET), with(SECRET));
    assert_ne!(with(SECRET), with(b"fedcba9876543210"));
}

#[test]
fn a_rule_hides_a_field_and_what_is_below_it() {
    let rules = rules(&json!({"a.b": "mask", "c": {"rename": "d"}, "e.*": "hash"}));
    for (path, hides) in
        [("a.b", true), ("a.b.x", true), ("a", false), ("a.c", false), ("c", false), ("e.f", true), ("e", false)]
    {
        assert_eq!(rules.hides(path), hides, "{path}");
    }
    assert!(!rules.is_empty() && FieldRules::default().is_empty());
}

#[test]
fn a_path_has_at_most_64_names() {
    let tried = |names: usize| FieldRules::new(&BTreeMap::from([(vec!["a"; names].join("."), FieldRule::Mask)]), None);
    assert!(tried(64).is_ok());
    assert_eq!(tried(65).unwrap_err().problem, "has more than 64 names");
}

#[test]
fn an_unknown_rule_is_refused_with_what_is_possible() {
    for (json, says) in [
        ("5", "keep_last: NUMBER"),
        ("{}", "has no rule"),
        (r#"{"mask":1}"#, "keep_last"),
        (r#"{"keep_last":1,"rename":"x"}"#, "has two rules"),
        (r#""wipe""#, "wipe"),
    ] {
        let error = serde_json::from_str::<FieldRule>(json).unwrap_err().to_string();
        assert!(error.contains(says), "{json}: {error}");
    }
}

/// At each step, a path of a datum may or may not have the `a` of one rule, which doubles the combinations of rules.
#[test]
fn paths_that_lead_to_too_many_types_are_refused() {
    let tree = schema(
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":["null","R"]},{"name":"b","type":["null","R"]}]}"#,
    );
    let path = |at: usize| (0..20).map(|step| if step == at { "a" } else { "*" }).collect::<Vec<_>>().join(".");
    let given: BTreeMap<String, FieldRule> = (0..20).map(|at| (path(at), FieldRule::Mask)).collect();
    let error = tree.with_rules(&FieldRules::new(&given, None).unwrap()).unwrap_err().to_string();
    assert!(error.contains("more than 100000 types"), "{error}");
}

#[test]
fn symbols_objects_and_repeated_values_are_recognised_as_hidden() {
    let json = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"string"},{"name":"b","type":"string"},
        {"name":"e","type":{"type":"enum","name":"E","symbols":["RED"]}},
        {"name":"m","type":{"type":"map","values":"int"}}]}"#;
    let ruled = schema(json).with_rules(&rules(&json!({"*": "mask"}))).unwrap().schema;
    let datum = [counted(b"x"), counted(b"x"), vec![0, 2, 2, b'k', 2, 0]].concat();
    for (text, expected) in [("x", true), ("RED", true), (r#"{"k":1}"#, true), ("k", false), ("y", false)] {
        assert_eq!(is_hidden(&ruled, &datum, LIMITS, text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn text_after_a_hidden_value_is_still_cut_into_pieces() {
    let long_text = "x".repeat(20_000);
    let datum = [long(2), counted(b"a"), counted(b"y"), counted(b"b"), counted(long_text.as_bytes()), long(0)].concat();
    let map = schema(r#"{"type":"record","name":"R","fields":[{"name":"m","type":{"type":"map","values":"string"}}]}"#);
    let ruled = map.with_rules(&rules(&json!({"m.a": "hash"}))).unwrap().schema;
    let (mut out, json) = (Vec::new(), JsonRules { pieces_in_maps: true, ..JsonRules::default() });
    write_members_and_find(&ruled, &datum, LIMITS, json, None, &mut out).unwrap();
    let written = document(std::str::from_utf8(&out).unwrap());
    assert_eq!(written["m"]["b"].as_array().map(Vec::len), Some(2));
}
