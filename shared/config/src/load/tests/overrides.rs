//! `PENSTOCK__SECTION__KEY`.

use super::*;

#[test]
fn a_variable_overrides_the_file_and_the_defaults() {
    let environment = [("PENSTOCK__KAFKA__BROKERS", "b:1"), ("PENSTOCK__INDEXER__BATCH__MAX_DOCUMENTS", "7")];
    let config = loaded("kafka: {brokers: 'a:1', topic: t}", &environment);
    assert_eq!((config.kafka.brokers.as_str(), config.kafka.topic.as_str()), ("b:1", "t"));
    assert_eq!(config.indexer.batch.max_documents, 7);
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    assert_eq!(loaded("kafka: {topic: t}", &[("PENSTOCK__KAFKA__TOPIC", "")]).kafka.topic, "t");
}

#[test]
fn text_from_a_variable_is_taken_literally() {
    for value in ["a: b #c", "[x", "{y", "*z", "'q", "null", "${HOME}", "0123", "  spaces  "] {
        let config = loaded("", &[("PENSTOCK__KAFKA__OPTIONS__SASL_PASSWORD", value)]);
        assert_eq!(config.kafka.options["sasl.password"], value);
    }
}

#[test]
fn dots_of_a_librdkafka_option_are_written_as_underscores() {
    let text = "kafka: {options: {security.protocol: PLAINTEXT}}";
    let environment =
        [("PENSTOCK__KAFKA__OPTIONS__SECURITY_PROTOCOL", "SASL_SSL"), ("PENSTOCK__KAFKA__OPTIONS__LINGER_MS", "5")];
    let options = loaded(text, &environment).kafka.options;
    assert_eq!(options.len(), 2);
    assert_eq!((options["security.protocol"].as_str(), options["linger.ms"].as_str()), ("SASL_SSL", "5"));
}

#[test]
fn source_names_in_variables_ignore_case_and_dashes() {
    let text = "receiver:\n  sources:\n    My-Source: {path: /w, subject: s, auth: {type: none}}\n";
    let config = loaded(text, &[("PENSTOCK__RECEIVER__SOURCES__MY_SOURCE__KEY_FIELD", "event_id")]);
    assert_eq!(config.receiver.sources.len(), 1);
    assert_eq!(config.receiver.sources["My-Source"].key_field.as_deref(), Some("event_id"));
}

#[test]
fn a_source_can_be_defined_by_variables_alone() {
    let environment = [
        ("PENSTOCK__RECEIVER__SOURCES__CXONE__PATH", "/w"),
        ("PENSTOCK__RECEIVER__SOURCES__CXONE__SUBJECT", "s"),
        ("PENSTOCK__RECEIVER__SOURCES__CXONE__AUTH__TYPE", "bearer"),
        ("PENSTOCK__RECEIVER__SOURCES__CXONE__AUTH__TOKENS", "one token, with a comma\n"),
        ("PENSTOCK__RECEIVER__SOURCES__CXONE__LIMITS__MAX_BODY", "2MiB"),
    ];
    let config = loaded("", &environment);
    let source = &config.receiver.sources["cxone"];
    assert_eq!(source.auth.tokens.iter().map(|token| token.expose()).collect::<Vec<_>>(), ["one token, with a comma"]);
    assert_eq!(source.limits.max_body.as_u64(), 2 << 20);
}

#[test]
fn lists_and_sections_can_be_written_as_yaml() {
    let environment = [
        ("PENSTOCK__RECEIVER__SOURCES__CXONE__AUTH__TOKENS", "[a, 'b']"),
        ("PENSTOCK__KAFKA__CREATE_TOPICS", "{partitions: 3, replication_factor: 1}"),
    ];
    let config = loaded(&with_auth("{type: bearer}"), &environment);
    let secrets = &config.receiver.sources["cxone"].auth.tokens;
    assert_eq!(secrets.iter().map(|secret| secret.expose()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(config.kafka.create_topics.unwrap().partitions, 3);
    let text = "kafka: {create_topics: {partitions: 1, replication_factor: 1}}";
    assert!(loaded(text, &[("PENSTOCK__KAFKA__CREATE_TOPICS", "null")]).kafka.create_topics.is_none());
}

#[test]
fn a_password_of_digits_is_text_in_a_tagged_type() {
    let environment = [
        ("PENSTOCK__ELASTICSEARCH__AUTH__TYPE", "basic"),
        ("PENSTOCK__ELASTICSEARCH__AUTH__USERNAME", "1"),
        ("PENSTOCK__ELASTICSEARCH__AUTH__PASSWORD", "007"),
    ];
    let auth = loaded("", &environment).elasticsearch.auth;
    let crate::sample::TaggedAuth::Basic { password: Some(password), .. } = auth else {
        panic!("not basic");
    };
    assert_eq!(password.expose(), "007");
}

#[test]
fn a_variable_for_an_unknown_key_is_refused_with_a_suggestion() {
    assert_eq!(
        refused("", &[("PENSTOCK__KAFKA__BROKER", "b:1")]),
        "environment variable PENSTOCK__KAFKA__BROKER: unknown key kafka.broker; did you mean PENSTOCK__KAFKA__BROKERS?"
    );
    let error = refused("", &[("PENSTOCK__KAFAK__BROKERS", "b:1")]);
    assert!(error.ends_with("unknown key kafak; did you mean PENSTOCK__KAFKA?"), "{error}");
    let error = refused("", &[("PENSTOCK__KAFKA__", "b:1")]);
    assert!(error.contains("names no key"), "{error}");
    let error = refused("", &[("PENSTOCK__KAFKA__TOPIC__NAME", "t")]);
    assert!(error.contains("PENSTOCK__KAFKA__TOPIC__NAME: kafka.topic: must be text"), "{error}");
}

#[test]
fn an_invalid_value_is_refused_with_the_name_of_its_variable() {
    assert_eq!(
        refused("", &[("PENSTOCK__KAFKA__TIMEOUT", "10")]),
        "environment variable PENSTOCK__KAFKA__TIMEOUT: kafka.timeout: must be a duration such as 10s, 500ms or 5m"
    );
    let error = refused("", &[("PENSTOCK__KAFKA__CREATE_TOPICS__PARTITIONS", "many")]);
    assert!(error.starts_with("environment variable PENSTOCK__KAFKA__CREATE_TOPICS__PARTITIONS: "), "{error}");
}

#[test]
fn variables_for_both_a_section_and_its_key_are_refused() {
    let environment = [("PENSTOCK__KAFKA__CREATE_TOPICS", "{}"), ("PENSTOCK__KAFKA__CREATE_TOPICS__PARTITIONS", "3")];
    let error = refused("", &environment);
    assert!(error.ends_with("set the one or the other"), "{error}");
}

#[test]
fn variables_without_the_prefix_are_ignored() {
    loaded("", &[("PENSTOCK_PORT", "tcp://10.0.0.1:80"), ("PENSTOCK_TOKEN", "t"), ("HOME", "/root")]);
}
