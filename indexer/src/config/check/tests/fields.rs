//! Tests `elasticsearch.documents.fields`.

use super::*;

fn with(fields: &str) -> String {
    format!("elasticsearch: {{documents: {{{fields}}}}}\n")
}

#[test]
fn each_rule_can_be_configured() {
    let rules = "fields: {a: drop, b: mask, c: hash, d.*: mask, d.e: keep, f: {keep_last: 4}, g: {rename: h}}";
    let text = with(&format!("{rules}, hash_secret: 0123456789abcdef"));
    assert_eq!(problems(&text), Vec::<String>::new());
    let config: Config = load_from("p.yaml", &text, &[]).unwrap();
    let shown = serde_json::to_value(&config).unwrap()["elasticsearch"]["documents"].take();
    assert_eq!(shown["hash_secret"], "[redacted]");
    assert_eq!(shown["fields"]["f"], serde_json::json!({"keep_last": 4}));
}

#[test]
fn an_invalid_rule_is_reported_with_its_path() {
    for (fields, expected) in [
        ("fields: {a: mask, a.b: drop}", "fields.a.b: never applies: the rule of a"),
        ("fields: {a..b: mask}", "fields.a..b: is not a path"),
        ("fields: {a: {rename: _source}}", "fields.a: cannot be renamed to \"_source\""),
        ("fields: {a: {keep_last: 0}}", "fields.a: keep_last: must be at least 1"),
        ("fields: {a: hash}", "hash_secret: is missing"),
        ("fields: {a: hash}, hash_secret: short", "hash_secret: must have at least 16 bytes"),
        ("fields: {a: hash}, hash_secret_file: /nowhere", "hash_secret_file: cannot read /nowhere"),
    ] {
        let found = problems(&with(fields));
        let expected = format!("elasticsearch.documents.{expected}");
        assert!(matches!(found.as_slice(), [one] if one.starts_with(&expected)), "{fields}: {found:?}");
    }
}

#[test]
fn an_unknown_rule_is_refused_with_its_path() {
    for (fields, expected) in [
        ("fields: {a: msk}", "did you mean mask?"),
        ("fields: {a: {renamed: b}}", "rename"),
        ("fields: {a: {rename: b, keep_last: 2}}", "two rules"),
        ("fields: {a: {}}", "has no rule"),
        ("fields: {a: [mask]}", "must be drop, mask"),
    ] {
        let error = load_from::<Config>("p.yaml", &with(fields), &[]).unwrap_err().to_string();
        assert!(error.contains("elasticsearch.documents.fields.a") && error.contains(expected), "{fields}: {error}");
    }
}
