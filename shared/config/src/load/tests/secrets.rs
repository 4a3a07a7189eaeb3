//! No error shows a secret, wherever the secret was put.

use super::*;

const SECRET: &str = "hunter2-correct-horse";

/// Keys of every type that can have a wrong value.
const KEYS: [&str; 10] = [
    "kafka.timeout",
    "indexer.max_depth",
    "indexer.fuse.max_ratio",
    "indexer.batch.max_bytes",
    "receiver.listen",
    "log.format",
    "kafka.create_topics",
    "kafka.options",
    "receiver.sources",
    "receiver",
];

fn assert_hidden(error: &str) {
    for word in SECRET.split('-') {
        assert!(!error.contains(word), "{error}");
    }
}

/// Returns YAML with `value` under the dotted `key`.
fn yaml(key: &str, value: &str) -> String {
    let mut text = String::new();
    for (depth, name) in key.split('.').enumerate() {
        text.push_str(&format!("\n{}{name}:", "  ".repeat(depth)));
    }
    format!("{text} {value}\n")
}

#[test]
fn a_secret_in_place_of_another_value_is_not_shown() {
    for key in KEYS {
        let by_variable = refused(&yaml(key, "${SECRET}"), &[("SECRET", SECRET)]);
        assert!(by_variable.contains("SECRET"), "the variable is named: {by_variable}");
        assert_hidden(&by_variable);
        let by_override = refused("", &[(&environment::variable(key), SECRET)]);
        assert!(by_override.contains(&environment::variable(key)), "the variable is named: {by_override}");
        assert_hidden(&by_override);
        assert_hidden(&refused("", &[(&environment::variable(key), &format!("[{SECRET}"))]));
        assert_hidden(&refused(&yaml(key, &format!("[{SECRET}]")), &[]));
    }
}

#[test]
fn a_secret_beside_an_error_is_not_shown() {
    let text = with_auth("{type: bearer, tokens: ['${TOKEN}']}") + "      limits: {max_depth: x}\n";
    assert_hidden(&refused(&text, &[("TOKEN", SECRET)]));
    let text = with_auth("{type: bearer, tokens: ['${TOKEN}'], x: [}");
    assert_hidden(&refused(&text, &[("TOKEN", SECRET)]));
}

#[test]
fn debug_and_serialised_output_hide_secrets() {
    let text = format!(
        "{}kafka: {{options: {{sasl.password: {SECRET}, SSL.Key.Password: {SECRET}, sasl.oauthbearer.client.secret: {SECRET}, \
         ssl.key.pem: {SECRET}, sasl.jaas.config: {SECRET}, ssl.key.passphrase: {SECRET}, \
         sasl.pasword: {SECRET}, client.id: me}}}}\n\
         schema_registry: {{url: 'http://me:{SECRET}@registry:8081/x'}}\n\
         elasticsearch: {{url: 'https://a:9200,https://me:{SECRET}/@b:9200', auth: {{type: basic, username: u, password: {SECRET}}}}}\n",
        with_auth(&format!("{{type: bearer, tokens: [{SECRET}]}}")),
    );
    let config = loaded(&text, &[]);
    assert_eq!(config.kafka.options["sasl.password"], SECRET);
    let debug = format!("{config:?} {config:#?}");
    assert_hidden(&debug);
    assert!(
        debug.contains(r#""client.id":"me""#) && debug.contains("registry:8081/x") && debug.contains("b:9200"),
        "{debug}"
    );
    assert_hidden(&serde_json::to_string(&config).unwrap());
    assert_hidden(&serde_saphyr::to_string(&config).unwrap());
}
