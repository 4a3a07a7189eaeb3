//! One rule per test.

use crate::sample::Config;
use crate::{check, load_from};

fn problems(text: &str) -> Vec<String> {
    let config: Config = load_from("p.yaml", text, &[]).unwrap();
    check(&config).into_iter().map(|problem| problem.0).collect()
}

/// Returns the one problem of `text`.
fn problem(text: &str) -> String {
    let found = problems(text);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    found[0].clone()
}

#[test]
fn the_defaults_have_no_problems() {
    assert!(problems("").is_empty());
}

#[test]
fn durations_and_sizes_of_zero_are_refused() {
    for key in [
        "kafka: {timeout: 0s}",
        "schema_registry: {timeout: 0s}",
        "schema_registry: {refresh: 0s}",
        "schema_registry: {negative_ttl: 0s}",
        "schema_registry: {cache_capacity: 0}",
        "kafka: {create_topics: {partitions: 0, replication_factor: 1}}",
        "kafka: {create_topics: {partitions: 1, replication_factor: 0}}",
    ] {
        let words: Vec<&str> = key.split(['{', ':', ',']).map(str::trim).collect();
        let found = problem(key);
        assert!(found.starts_with(&format!("{}.{}", words[0], words[2])), "{found}");
    }
}

#[test]
fn registry_credentials_must_be_complete_and_unambiguous() {
    for (lines, key) in [
        ("auth: {type: bearer}", "auth.token"),
        ("auth: {type: basic, username: u}", "auth.password"),
        ("auth: {type: basic, username: '', password: hunter2}", "auth.username"),
        ("auth: {type: bearer, token_file: /nowhere}", "auth.token_file"),
        ("url: 'http://a,http://u:hunter2@b', auth: {type: bearer, token: hunter2}", "auth"),
        ("ca_file: /nowhere", "ca_file"),
        ("client_key_file: Cargo.toml", "client_certificate_file"),
    ] {
        let found = problem(&format!("schema_registry: {{{lines}}}"));
        assert!(found.starts_with(&format!("schema_registry.{key}: ")) && !found.contains("hunter"), "{found}");
    }
}

/// tulios/kafkajs#1589, dpkp/kafka-python#616: clients that split an address at its first colon.
#[test]
fn brokers_may_have_ipv6_addresses() {
    for brokers in ["'[::1]:9092'", "'[2001:db8::1]:9092, [2001:db8::2]:9092,kafka:9092'"] {
        assert!(problems(&format!("kafka: {{brokers: {brokers}}}")).is_empty(), "{brokers}");
    }
}

#[test]
fn empty_broker_addresses_are_refused() {
    for brokers in ["''", "'a:1,'", "'a:1 b:2'"] {
        assert!(problem(&format!("kafka: {{brokers: {brokers}}}")).starts_with("kafka.brokers: "), "{brokers}");
    }
}

#[test]
fn options_that_break_a_promise_are_refused_with_the_reason() {
    for option in [
        "bootstrap.servers",
        "metadata.broker.list",
        "group.id",
        "group.instance.id",
        "group.protocol",
        "partition.assignment.strategy",
        "acks",
        "request.required.acks",
        "enable.idempotence",
        "enable.gapless.guarantee",
        "transactional.id",
        "delivery.report.only.error",
        "message.timeout.ms",
        "delivery.timeout.ms",
        "enable.auto.commit",
        "auto.commit.enable",
        "enable.auto.offset.store",
        "auto.offset.reset",
    ] {
        let found = problem(&format!("kafka: {{options: {{{option}: x}}}}"));
        let reason = found.strip_prefix(&format!("kafka.options.{option}: ")).unwrap();
        assert!(reason.split_whitespace().count() > 2, "{found}");
    }
    for good in ["linger.ms: 5", "acks: all", "acks: -1", "enable.idempotence: true", "auto.offset.reset: earliest"] {
        assert!(problems(&format!("kafka: {{options: {{{good}}}}}")).is_empty(), "{good}");
    }
}

#[test]
fn invalid_topic_names_are_refused() {
    for name in ["''", "a b", ".", "ä", &"x".repeat(250)] {
        assert!(problem(&format!("kafka: {{topic: {name}}}")).starts_with("kafka.topic: "), "{name}");
    }
}

#[test]
fn addresses_that_are_not_http_are_refused() {
    for url in ["''", "localhost:8081", "ftp://a", "http://", "'http://a:1,'", "'http://a,b'"] {
        assert!(problem(&format!("schema_registry: {{url: {url}}}")).starts_with("schema_registry.url: "), "{url}");
    }
    assert!(problems("schema_registry: {url: 'http://a:1, https://b/x'}").is_empty());
    let found = problem("schema_registry: {url: 'ftp://me:hunter2@a'}");
    assert!(!found.contains("hunter2"), "{found}");
}

#[test]
fn incomplete_kafka_security_is_refused() {
    for (security, key) in [
        ("{protocol: sasl_ssl}", "security.mechanism"),
        ("{protocol: ssl, mechanism: PLAIN}", "security.mechanism"),
        ("{protocol: sasl_ssl, mechanism: PLAIN, username: u}", "security.password"),
        ("{protocol: sasl_ssl, mechanism: SCRAM-SHA-512, password: p}", "security.username"),
        ("{protocol: sasl_ssl, mechanism: OAUTHBEARER}", "security.oauth"),
        (
            "{protocol: sasl_ssl, mechanism: OAUTHBEARER, oauth: {token_url: 'http://t', client_id: c}}",
            "security.oauth.client_secret",
        ),
        (
            "{protocol: sasl_ssl, mechanism: OAUTHBEARER, oauth: {token_url: t, client_id: c, client_secret: s}}",
            "security.oauth.token_url",
        ),
        ("{protocol: ssl, ca_file: /nowhere/ca}", "security.ca_file"),
        ("{protocol: ssl, certificate_file: /dev/null}", "security.certificate_file"),
    ] {
        let found = problem(&format!("kafka: {{security: {security}}}\n"));
        assert!(found.starts_with(&format!("kafka.{key}: ")), "{security}: {found}");
    }
    let found = problem("kafka: {security: {protocol: ssl}, options: {ssl.ca.location: x}}\n");
    assert_eq!(found, "kafka.options.ssl.ca.location: is set by kafka.security");
}

#[test]
fn invalid_tracing_settings_are_refused() {
    for (section, key) in [
        ("otlp_endpoint: 'collector:4318'", "otlp_endpoint"),
        ("otlp_endpoint: 'ftp://a'", "otlp_endpoint"),
        ("otlp_endpoint: 'http://a?token=hunter2'", "otlp_endpoint"),
        ("otlp_endpoint: 'http://me:hunter2@a'", "otlp_endpoint"),
        ("sample_ratio: 1.5", "sample_ratio"),
        ("sample_ratio: -0.1", "sample_ratio"),
        ("service_name: ' '", "service_name"),
        ("timeout: 0s", "timeout"),
        ("headers: {'no name': hunter2}", "headers"),
        ("headers_file: /nowhere/headers", "headers_file"),
        ("ca_file: /nowhere/ca", "ca_file"),
    ] {
        let found = problem(&format!("tracing: {{{section}}}"));
        assert!(found.starts_with(&format!("tracing.{key}: ")) && !found.contains("hunter2"), "{section}: {found}");
    }
    assert!(problems("tracing: {otlp_endpoint: 'https://a/otlp', sample_ratio: 0}").is_empty());
}
