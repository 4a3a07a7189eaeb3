//! Tests one rule per test.

use config::{check, load_from};

use super::*;

mod fields;

fn problems(text: &str) -> Vec<String> {
    let config: Config = load_from("p.yaml", text, &[]).unwrap();
    check(&config).into_iter().map(|problem| problem.0).collect()
}

/// Returns the only problem of `text`.
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
fn all_problems_are_found_at_once() {
    let text =
        "kafka: {timeout: 0s, topic: ''}\nindexer: {group_id: ''}\nelasticsearch: {url: x}\nlog: {level: 'a=b=c'}\n";
    let found = problems(text);
    for key in ["log.level", "kafka.timeout", "kafka.topic", "elasticsearch.url", "indexer.group_id"] {
        assert!(found.iter().any(|problem| problem.starts_with(&format!("{key}: "))), "{key}: {found:?}");
    }
}

#[test]
fn zero_durations_and_sizes_are_refused() {
    for key in [
        "elasticsearch: {request_timeout: 0s}",
        "elasticsearch: {connect_timeout: 0s}",
        "indexer: {commit_interval: 0s}",
        "indexer: {drain_timeout: 0s}",
        "indexer: {max_in_flight_requests: 0}",
        "indexer: {max_depth: 0}",
        "indexer: {max_items: 0}",
        "indexer: {batch: {max_documents: 0}}",
        "indexer: {batch: {max_bytes: 0}}",
        "indexer: {batch: {max_age: 0s}}",
        "indexer: {retry: {initial: 0s}}",
        "indexer: {retry: {max_retries: 0}}",
        "indexer: {fuse: {window: 0}}",
        "indexer: {fuse: {max_ratio: 0}}",
        "indexer: {fuse: {max_ratio: 1.1}}",
        "indexer: {fuse: {max_consecutive: 0}}",
    ] {
        let words: Vec<&str> = key.split(['{', ':', ',']).map(str::trim).collect();
        let found = problem(key);
        assert!(found.starts_with(&format!("{}.{}", words[0], words[2])), "{found}");
    }
}

#[test]
fn an_event_may_be_nested_at_most_200_deep() {
    assert!(problems("indexer: {max_depth: 200}").is_empty());
    assert_eq!(problem("indexer: {max_depth: 201}"), "indexer.max_depth: must be at most 200");
}

#[test]
fn the_dead_letter_topic_must_not_be_the_topic_of_events() {
    let found = problem("kafka: {dead_letter_topic: t, topic: t}");
    assert!(found.starts_with("kafka.dead_letter_topic: must not be kafka.topic"), "{found}");
}

#[test]
fn addresses_must_be_http() {
    for url in ["''", "localhost:9200", "ftp://a", "http://", "'http://a:1,'"] {
        assert!(problem(&format!("elasticsearch: {{url: {url}}}")).starts_with("elasticsearch.url: "), "{url}");
    }
    assert!(problems("elasticsearch: {url: 'http://a:1, https://b/x'}").is_empty());
    let found = problem("elasticsearch: {url: 'ftp://me:hunter2@a'}");
    assert!(!found.contains("hunter2"), "{found}");
}

#[test]
fn invalid_index_names_are_refused() {
    for name in ["Events", "a b", "a/b", "'a,b'", "'a#b'", "'a:b'", "-a", "_a", "+a", ".", "..", &"x".repeat(256)] {
        let found = problem(&format!("elasticsearch: {{index_name: {name}}}"));
        assert!(found.starts_with("elasticsearch.index_name: "), "{name}: {found}");
    }
}

#[test]
fn elasticsearch_auth_without_its_secret_is_refused() {
    for (auth, key) in [
        ("{type: basic, username: u}", "password"),
        ("{type: api_key, api_key: ' '}", "api_key"),
        ("{type: bearer}", "token"),
    ] {
        let found = problem(&format!("elasticsearch: {{auth: {auth}}}"));
        assert_eq!(found, format!("elasticsearch.auth.{key}: set it, or {key}_file"));
    }
}

#[test]
fn a_batch_must_fit_the_limit_in_flight() {
    let found = problem("indexer: {max_in_flight_bytes: 1MiB, batch: {max_bytes: 2MiB}}");
    assert!(found.starts_with("indexer.max_in_flight_bytes: "), "{found}");
}

#[test]
fn a_drain_must_end_well_before_max_poll_interval() {
    let found = problem("indexer: {drain_timeout: 151s}");
    assert!(found.starts_with("indexer.drain_timeout: must be at most 150000 ms"), "{found}");
    assert!(problem("kafka: {options: {max.poll.interval.ms: 20000}}").starts_with("indexer.drain_timeout: "));
    assert!(problem("kafka: {options: {max.poll.interval.ms: x}}").starts_with("kafka.options.max.poll.interval.ms: "));
}

#[test]
fn the_longest_wait_must_not_be_shorter_than_the_first() {
    assert!(problem("indexer: {retry: {initial: 10s, max: 5s}}").starts_with("indexer.retry.max: "));
}
