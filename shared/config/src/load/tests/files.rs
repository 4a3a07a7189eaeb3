//! The contents of a config file.

use std::time::Duration;

use bytesize::ByteSize;

use super::*;
use service::telemetry::LogFormat;

#[test]
fn an_empty_file_means_all_defaults() {
    for text in ["", "# nothing but a comment\n", "---\n"] {
        let config = loaded(text, &[]);
        assert_eq!(config.kafka.topic, "cxone-events");
        assert!(config.receiver.sources.is_empty());
    }
}

#[test]
fn a_section_with_all_keys_commented_out_means_its_defaults() {
    let config = loaded("kafka:\n  # brokers: b:1\nreceiver:\n  sources:\n", &[]);
    assert_eq!(config.kafka.brokers, "127.0.0.1:9092");
}

#[test]
fn values_of_the_file_override_single_defaults() {
    let config = loaded("indexer:\n  batch:\n    max_documents: 7\n", &[]);
    assert_eq!(config.indexer.batch.max_documents, 7);
    assert_eq!(config.indexer.batch.max_bytes, ByteSize::mib(5));
}

#[test]
fn sizes_are_written_with_a_unit_or_as_bytes() {
    for (text, bytes) in [("5MiB", 5 << 20), ("1GB", 1_000_000_000), ("64 KiB", 64 << 10), ("4096", 4096)] {
        let config = loaded(&format!("indexer: {{batch: {{max_bytes: {text}}}}}"), &[]);
        assert_eq!(config.indexer.batch.max_bytes.as_u64(), bytes, "{text}");
    }
}

#[test]
fn durations_are_written_with_a_unit() {
    for (text, duration) in [
        ("10s", Duration::from_secs(10)),
        ("500ms", Duration::from_millis(500)),
        ("5m", Duration::from_secs(300)),
        ("1m 30s", Duration::from_secs(90)),
    ] {
        assert_eq!(loaded(&format!("kafka: {{timeout: {text}}}"), &[]).kafka.timeout, duration, "{text}");
    }
    let error = refused("kafka:\n  timeout: 10\n", &[]);
    assert_eq!(error, "p.yaml:2: kafka.timeout: must be a duration such as 10s, 500ms or 5m");
}

#[test]
fn quotes_are_optional_for_numbers_and_text() {
    let text = "kafka: {topic: 12345, options: {a.number: 8, a.switch: true}}\nindexer: {max_depth: '9'}\nlog: {format: 'json'}";
    let config = loaded(text, &[]);
    assert_eq!(config.kafka.topic, "12345");
    assert_eq!(config.kafka.options["a.number"], "8");
    assert_eq!(config.kafka.options["a.switch"], "true");
    assert_eq!(config.indexer.max_depth, 9);
    assert_eq!(config.log.format, LogFormat::Json);
}

#[test]
fn a_number_may_have_underscores_and_must_be_in_range() {
    assert_eq!(loaded("indexer: {max_items: 1_000_000}", &[]).indexer.max_items, 1_000_000);
    assert_eq!(
        refused("indexer:\n  max_depth: 70000\n", &[]),
        "p.yaml:2: indexer.max_depth: must be a whole number from 0 to 65535"
    );
    assert_eq!(
        refused("indexer:\n  max_items: -1\n", &[]),
        "p.yaml:2: indexer.max_items: must be a whole number from 0 to 4294967295"
    );
    assert_eq!(
        refused("indexer: {fuse: {max_ratio: .nan}}", &[]),
        "p.yaml:1: indexer.fuse.max_ratio: must be a number"
    );
}

#[test]
fn only_an_optional_key_may_be_null() {
    assert!(loaded("kafka: {create_topics: null}", &[]).kafka.create_topics.is_none());
    assert_eq!(
        refused("kafka:\n  topic:\n", &[]),
        "p.yaml:2: kafka.topic: has no value; give text, or leave the key out"
    );
}

#[test]
fn an_unknown_key_is_refused_with_line_and_suggestion() {
    let error = refused("kafka:\n  topic: t\n  broker: b:1\n", &[]);
    assert_eq!(error, "p.yaml:3: unknown key kafka.broker; did you mean brokers?");
    let error = refused("elasticsearch:\n  auth: {type: basic, usernam: me}\n", &[]);
    assert_eq!(error, "p.yaml:2: unknown key elasticsearch.auth.usernam; did you mean username?");
    let error = refused("\nkafak: {}\n", &[]);
    assert_eq!(error, "p.yaml:2: unknown key kafak; did you mean kafka?");
    let error = refused("log: {colour: true}", &[]);
    assert_eq!(error, "p.yaml:1: unknown key log.colour; known are level, format");
}

#[test]
fn an_unknown_word_is_refused_with_the_allowed_words() {
    let error = refused("indexer:\n  group_protocol: clasic\n", &[]);
    assert_eq!(error, "p.yaml:2: indexer.group_protocol: must be one of classic, consumer; did you mean classic?");
}

#[test]
fn an_address_without_a_port_is_refused_with_an_example() {
    let error = refused("receiver:\n  listen: localhost\n", &[]);
    assert_eq!(error, "p.yaml:2: receiver.listen: must be an IP address and a port such as 0.0.0.0:8080");
}

#[test]
fn a_repeated_key_is_refused_with_both_lines() {
    let error = refused("kafka:\n  topic: a\n  topic: b\n", &[]);
    assert_eq!(error, "p.yaml:3: the key topic occurs twice, first at p.yaml:2");
}

#[test]
fn invalid_yaml_is_refused_with_line_and_column() {
    let error = refused("kafka:\n  topic: [\n", &[]);
    assert!(error.starts_with("p.yaml:2: not YAML: "), "{error}");
    assert!(error.contains("column 10"), "{error}");
}

#[test]
fn a_second_document_is_refused() {
    assert_eq!(refused("log: {}\n---\nlog: {}\n", &[]), "p.yaml:3: a second YAML document; there must be only one");
}

#[test]
fn a_list_or_word_in_place_of_a_section_is_refused() {
    assert_eq!(refused("kafka: [a]", &[]), "p.yaml:1: kafka: must be a section with keys");
    assert_eq!(refused("kafka: a", &[]), "p.yaml:1: kafka: must be a section with keys");
    assert_eq!(refused("just text", &[]), "p.yaml:1: must be a section with keys");
}

#[test]
fn an_alias_stands_for_its_anchor() {
    let text = "receiver:\n  sources:\n    a: &a {path: /a, subject: s, auth: {type: none}}\n    b: *a\n";
    assert_eq!(loaded(text, &[]).receiver.sources["b"].path, "/a");
}

#[test]
fn nested_aliases_cannot_exhaust_memory() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let error = refused(&text, &[]);
    assert!(error.ends_with("too large for a config"), "{error}");
}

#[test]
fn a_file_nested_too_deep_is_refused() {
    let error = refused(&format!("log: {}{}", "[".repeat(100), "]".repeat(100)), &[]);
    assert!(error.contains("nested too deep"), "{error}");
}

#[test]
fn a_source_without_a_required_key_is_refused_with_its_line() {
    let error = refused("receiver:\n  sources:\n    cxone:\n      path: /w\n", &[]);
    assert_eq!(error, "p.yaml:4: receiver.sources.cxone: the key subject is missing");
    let error = refused("receiver:\n  sources:\n    cxone:\n      path: /w\n      subject: s\n", &[]);
    assert_eq!(error, "p.yaml:4: receiver.sources.cxone: the key auth is missing");
}
