//! `${VAR}` in the file.

use super::*;

#[test]
fn a_variable_is_replaced_by_its_value() {
    let config = loaded("kafka: {brokers: '${HOST}:${PORT}'}", &[("HOST", "kafka"), ("PORT", "19092")]);
    assert_eq!(config.kafka.brokers, "kafka:19092");
}

#[test]
fn a_variable_can_supply_a_number_or_a_duration() {
    let text = "indexer:\n  max_depth: ${DEPTH}\n  commit_interval: \"${INTERVAL}\"\n";
    let config = loaded(text, &[("DEPTH", "12"), ("INTERVAL", "3s")]);
    assert_eq!(config.indexer.max_depth, 12);
    assert_eq!(config.indexer.commit_interval.as_secs(), 3);
}

#[test]
fn a_default_replaces_an_unset_or_empty_variable() {
    let text = "kafka: {topic: '${TOPIC:-events}'}";
    assert_eq!(loaded(text, &[]).kafka.topic, "events");
    assert_eq!(loaded(text, &[("TOPIC", "")]).kafka.topic, "events");
    assert_eq!(loaded(text, &[("TOPIC", "mine")]).kafka.topic, "mine");
    for text in ["kafka:\n  create_topics: ${NONE:-}\n", "kafka:\n  create_topics: '${NONE:-}'\n"] {
        assert!(loaded(text, &[]).kafka.create_topics.is_none());
    }
}

#[test]
fn all_unset_variables_are_reported_with_line_and_key() {
    let error = refused("kafka:\n  topic: ${A}\n  brokers: ${B}\n", &[]);
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 2, "{error}");
    assert_eq!(
        lines[0],
        "p.yaml:2: kafka.topic: the environment variable A is not set; set it, or give a default: ${A:-default}"
    );
    assert!(lines[1].starts_with("p.yaml:3: kafka.brokers: the environment variable B"), "{error}");
}

#[test]
fn a_variables_value_cannot_change_the_structure_of_the_file() {
    for value in ["a: b", "x\n  topic: evil", "# no comment", "*alias", "[1, 2]", "'", "\"", "{}", "${HOME}", "null"] {
        let config = loaded("kafka:\n  brokers: ${VALUE}\n", &[("VALUE", value)]);
        assert_eq!(config.kafka.brokers, value);
        assert_eq!(config.kafka.topic, "cxone-events");
    }
}

#[test]
fn a_line_break_at_the_end_of_a_value_is_dropped() {
    assert_eq!(loaded("kafka: {topic: '${T}'}", &[("T", "events\r\n")]).kafka.topic, "events");
}

#[test]
fn two_dollars_before_a_brace_are_an_escape() {
    let config = loaded("kafka: {brokers: '$${A}-$${B:-x}'}", &[("A", "no")]);
    assert_eq!(config.kafka.brokers, "${A}-${B:-x}");
}

#[test]
fn dollars_without_a_brace_are_left_alone() {
    assert_eq!(loaded("kafka: {brokers: 'a$b$$c$'}", &[("b", "no")]).kafka.brokers, "a$b$$c$");
}

#[test]
fn malformed_variable_syntax_is_refused() {
    for value in ["${A", "${}", "${1A}", "${A B}", "${A-x}", "${A:?x}", "${${A}}"] {
        let error = refused(&format!("kafka:\n  topic: '{value}'\n"), &[("A", "a")]);
        assert!(error.starts_with("p.yaml:2: kafka.topic: ${"), "{value}: {error}");
    }
}

#[test]
fn variables_in_comments_and_overridden_values_may_be_unset() {
    let text = "# ${NOT_SET}\nkafka:\n  topic: ${NOT_SET}\n";
    assert_eq!(loaded(text, &[("PENSTOCK__KAFKA__TOPIC", "mine")]).kafka.topic, "mine");
}

#[test]
fn variables_in_the_other_binarys_sections_may_be_unset() {
    let text = "kafka: {topic: '${TOPIC}'}\ncxone: {client_secret: '${SECRET}', no_such_key: 1}\n";
    let environment = [("TOPIC", "t"), ("PENSTOCK__ILM_CONFIG_PATH", "x"), ("PENSTOCK__KAFKA__BROKERS", "b:1")];
    let loaded: Loaded<Config> = parse("p.yaml", text, &pairs(&environment)).unwrap();
    assert_eq!(loaded.config.kafka.topic, "t");
    assert_eq!(loaded.left, ["cxone", "ilm_config_path"]);
    assert_eq!(loaded.variables, ["PENSTOCK__KAFKA__BROKERS"]);
}

#[test]
fn a_misspelt_section_of_the_other_binary_gets_a_suggestion() {
    assert_eq!(refused("\ncxon: {}\n", &[]), "p.yaml:2: unknown key cxon; did you mean cxone?");
    let error = refused("wholly_different: {}", &[]);
    assert!(
        error.contains("unknown key wholly_different; known are log, tracing, kafka, ") && error.contains(", cxone, "),
        "{error}"
    );
}
