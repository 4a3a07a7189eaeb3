//! The sample and the reference match the structs: every key is in both, with its true default, and no other key.

use std::collections::{BTreeMap, BTreeSet};

use ::config::{check, load_from};
use receiver::config::Auth;
use serde_json::Value;

use super::*;

const SAMPLE: &str = include_str!("../../../deploy/penstock.yaml");
const CHART: &str = include_str!("../../../deploy/helm/penstock/values.yaml");
const DEBIAN: &str = include_str!("../../../deploy/debian/penstock.yaml");
const REFERENCE: &str = include_str!("../../../docs/config.md");

fn sample() -> Config {
    let token = ("PENSTOCK_TOKEN".to_owned(), "0123456789abcdef".to_owned());
    load_from("deploy/penstock.yaml", SAMPLE, &[token]).unwrap()
}

#[test]
fn the_unchanged_sample_works_with_the_local_stack() {
    let config = sample();
    assert_eq!(check(&config), []);
    assert_eq!(config.kafka.brokers, "127.0.0.1:9092");
    assert_eq!(config.schema_registry.url, "http://127.0.0.1:8081/apis/ccompat/v7");
    assert_eq!(config.elasticsearch.url, "http://127.0.0.1:9200");
    let source = &config.receiver.sources["cxone"];
    assert_eq!((source.path.as_str(), source.subject.as_str()), ("/webhook/cxone/events", "cxone-events-value"));
    assert_eq!(source.key_field.as_deref(), Some("event_id"));
    assert!(matches!(source.auth, Auth::Bearer { .. }));
}

#[test]
fn the_sample_differs_from_the_defaults_only_in_local_settings() {
    let of_this_machine = [
        "kafka.create_topics.partitions",
        "kafka.create_topics.replication_factor",
        "schema_registry.url",
        "receiver.listen",
    ];
    let defaults = leaves(&Config::default());
    for (key, value) in leaves(&sample()) {
        if key.starts_with("receiver.sources.") || of_this_machine.contains(&key.as_str()) {
            continue;
        }
        assert_eq!(Some(&value), defaults.get(&key), "{key}");
    }
}

#[test]
fn a_missing_token_is_refused_with_the_name_of_its_variable() {
    let error = load_from::<Config>("deploy/penstock.yaml", SAMPLE, &[]).unwrap_err().to_string();
    assert!(error.contains("receiver.sources.cxone.auth.tokens") && error.contains("PENSTOCK_TOKEN"), "{error}");
}

#[test]
fn the_config_of_the_chart_is_valid() {
    let values: Value = serde_saphyr::from_str(CHART).unwrap();
    // JSON is YAML.
    let config: Config = load_from("values.yaml", &values["config"].to_string(), &[]).unwrap();
    assert_eq!(check(&config.of_indexer()), []);
}

#[test]
fn the_config_of_the_packages_works_with_their_random_token() {
    let token = ("PENSTOCK_TOKEN".to_owned(), "0123456789abcdef".to_owned());
    let config: Config = load_from("deploy/debian/penstock.yaml", DEBIAN, &[token]).unwrap();
    assert_eq!(check(&config), []);
    assert!(config.receiver.listen.ip().is_loopback(), "a new installation listens on this machine alone");
}

#[test]
fn the_sample_shows_every_key() {
    let shown: BTreeSet<&str> = SAMPLE
        .lines()
        .filter_map(|line| line.trim_start_matches(['#', ' ']).split_once(':'))
        .map(|(key, _)| key)
        .collect();
    for key in complete().keys() {
        let name = key.rsplit('.').next().unwrap();
        assert!(shown.contains(name), "deploy/penstock.yaml lacks {key}");
    }
}

#[test]
fn the_reference_has_every_key_and_no_other() {
    let keys: BTreeSet<String> = complete().into_keys().collect();
    // Optional sections have a row too.
    let sections = [
        "kafka.create_topics",
        "kafka.security",
        "kafka.security.oauth",
        "receiver.sources",
        "receiver.tls",
        "receiver.forwarded_certificate",
        // This key is replaced by other keys when it is read.
        "receiver.sources.<name>.auth.preset",
        "elasticsearch.mapping.fields",
        "elasticsearch.routes",
        "indexer.topics",
    ]
    .map(str::to_owned);
    let documented: BTreeSet<String> = documented().into_keys().collect();
    let expected: BTreeSet<String> = keys.into_iter().chain(sections).collect();
    assert_eq!(documented, expected);
}

#[test]
fn the_reference_has_the_true_defaults() {
    let of_sections = leaves(&Config::default());
    let of_sources = complete();
    for (key, default) in documented() {
        let expected = match key.as_str() {
            key if key.contains('<') => of_sources.get(key),
            "kafka.create_topics"
            | "receiver.sources"
            | "kafka.security"
            | "receiver.tls"
            | "receiver.forwarded_certificate"
            | "elasticsearch.mapping.fields"
            | "elasticsearch.routes"
            | "indexer.topics" => Some(&Value::Null),
            key => of_sections.get(key),
        };
        match default {
            Default::None => assert!(expected.is_none_or(is_nothing), "{key}: {expected:?}"),
            // The key is required, or depends on the type of the auth.
            Default::Required => assert!(!of_sections.contains_key(&key), "{key} has a default"),
            Default::Value(text) => assert_eq!(shown(expected), Some(text), "{key}"),
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn shown(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

enum Default {
    None,
    Required,
    Value(String),
}

/// Returns the rows of the reference whose first column is a key.
fn documented() -> BTreeMap<String, Default> {
    let sections = [
        "log",
        "tracing",
        "kafka",
        "schema_registry",
        "cxone",
        "elasticsearch",
        "receiver",
        "indexer",
        "ilm_config_path",
    ];
    let mut rows = BTreeMap::new();
    let (_, reference) = REFERENCE.split_once("\n## `log`").unwrap();
    for line in reference.lines().filter(|line| line.starts_with("| `")) {
        let columns: Vec<&str> = line.split(" | ").map(|column| column.trim_matches(['|', ' '])).collect();
        let key = columns[0].trim_matches('`').to_owned();
        assert!(sections.contains(&key.split('.').next().unwrap()), "{line}");
        let default = match columns[1] {
            "none" => Default::None,
            "required" => Default::Required,
            value => Default::Value(value.trim_matches('`').to_owned()),
        };
        assert!(rows.insert(key, default).is_none(), "twice: {line}");
    }
    rows
}

/// Returns each leaf key of `config` with its value.
fn leaves(config: &Config) -> BTreeMap<String, Value> {
    let mut leaves = BTreeMap::new();
    collect("", &serde_json::to_value(config).unwrap(), &mut leaves);
    leaves
}

fn collect(path: &str, value: &Value, leaves: &mut BTreeMap<String, Value>) {
    match value {
        // The values of a field are not ours.
        Value::Object(entries) if !entries.is_empty() && path != "elasticsearch.routes.to" => {
            for (key, value) in entries {
                // One source stands for all others, whatever their auth; the same holds for fields.
                let key = match path {
                    "receiver.sources" => "<name>",
                    "elasticsearch.mapping.fields" => "<path>",
                    "indexer.topics" => "<topic>",
                    _ => key,
                };
                let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                collect(&path, value, leaves);
            }
        }
        value => {
            leaves.insert(path.to_owned(), value.clone());
        }
    }
}

/// Returns all existing keys; only those of sources have their defaults.
fn complete() -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for auth in ["basic, username: u", "api_key", "bearer"] {
        let registry_auth = if auth == "api_key" { "none" } else { auth };
        let text = format!(
            "
kafka:
  create_topics: {{partitions: 1, replication_factor: 1}}
  security: {{protocol: sasl_ssl, oauth: {{token_url: u, client_id: c}}}}
elasticsearch: {{routes: {{field: f, to: {{v: i}}}}, auth: {{type: {auth}}}, mapping: {{fields: {{f: {{type: text}}}}}}}}
indexer: {{topics: {{t: {{}}}}}}
schema_registry: {{auth: {{type: {registry_auth}}}}}
receiver:
  tls: {{certificate_file: c, key_file: k}}
  forwarded_certificate: {{format: xfcc}}
  sources:
    a: {{path: /a, subject: s, auth: {{type: bearer}}, verification: {{}}}}
    b: {{path: /b, subject: s, auth: {{type: hmac, header: h}}}}
    c: {{path: /c, subject: s, auth: {{type: basic}}}}
    d: {{path: /d, subject: s, auth: {{type: mtls}}}}
"
        );
        all.extend(leaves(&load_from::<Config>("complete", &text, &[]).unwrap()));
    }
    all
}
