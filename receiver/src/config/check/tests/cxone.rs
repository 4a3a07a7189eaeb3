//! Tests of `cxone`.

use super::*;

/// The keys of a complete section.
const WHOLE: [(&str, &str); 4] = [
    ("tenant_url", "https://api-na1.niceincontact.com"),
    ("client_id", "c"),
    ("client_secret", "0123456789abcdef"),
    ("schema_path", "/schemas/latest"),
];

/// Returns the complete section with `changes`. An empty value removes the key.
fn section(changes: &[(&str, &str)]) -> String {
    let mut keys: Vec<(&str, &str)> = WHOLE.to_vec();
    keys.retain(|(key, _)| changes.iter().all(|(changed, _)| changed != key));
    keys.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    let lines: String = keys.iter().map(|(key, value)| format!("  {key}: {value}\n")).collect();
    format!("cxone:\n{lines}")
}

#[test]
fn a_complete_or_absent_section_is_valid() {
    for changes in [
        [].as_slice(),
        &[("refresh", "1h")],
        &[("tenant_url", "http://127.0.0.1:8000")],
        &[("client_id", ""), ("client_secret", ""), ("access_key_id", "k"), ("access_key_secret", "0123456789abcdef")],
        &[("client_secret", ""), ("client_secret_file", "/dev/null")],
        &[("schema_path", "'/schemas/{subject}?v=latest'"), ("subjects", "[a, b]")],
    ] {
        let found = problems(&format!("{GOOD}{}", section(changes)));
        assert!(found.is_empty(), "{changes:?}: {found:?}");
    }
    assert!(problems(GOOD).is_empty());
}

#[test]
fn incomplete_or_conflicting_keys_are_refused_by_name() {
    for (changes, key, words) in [
        ([("tenant_url", "")].as_slice(), "tenant_url", "missing"),
        (&[("tenant_url", "http://api.example.com")], "tenant_url", "https://"),
        (&[("tenant_url", "https://me:0123456789abcdef@api.example.com")], "tenant_url", "no user"),
        (&[("tenant_url", "nonsense")], "tenant_url", "address"),
        (&[("client_id", "")], "client_id", "cxone.client_secret needs it"),
        (&[("client_secret", "")], "client_secret", "client_secret_file"),
        (&[("client_secret_file", "/nowhere")], "client_secret_file", "/nowhere"),
        (&[("client_id", ""), ("client_secret", "")], "client_id", "access_key_id and access_key_secret"),
        (&[("client_id", ""), ("client_secret", ""), ("access_key_id", "k")], "access_key_secret", "missing"),
        (&[("access_key_id", "k")], "access_key_id", "set one pair"),
        (&[("schema_path", "")], "schema_path", "missing"),
        (&[("schema_path", "schemas")], "schema_path", "begin with /"),
        (&[("schema_path", "'/schemas/{name}'")], "schema_path", "braces"),
        (&[("schema_pointer", "schema")], "schema_pointer", "RFC 6901"),
        (&[("subjects", "[a, b]")], "subjects", "a, b"),
        (&[("timeout", "0s")], "timeout", "longer"),
        (&[("refresh", "1s")], "refresh", "10s"),
    ] {
        let found = problem(&section(changes));
        assert!(found.starts_with(&format!("cxone.{key}: ")) && found.contains(words), "{changes:?}: {found}");
        assert!(!found.contains("0123456789"), "a secret is shown: {found}");
    }
}

#[test]
fn secrets_and_users_are_redacted() {
    let url = ("tenant_url", "https://me:0123456789abcdef@api.example.com");
    let text = format!("{GOOD}{}", section(&[url, ("access_key_secret", "0123456789abcdef")]));
    let config = load_from::<Config>("p.yaml", &text, &[]).unwrap().cxone;
    let shown = format!("{config:?} {}", serde_json::to_string(&config).unwrap());
    assert!(!shown.contains("0123456789") && shown.contains("[redacted]"), "{shown}");
}
