//! One rule a test.

use super::*;
use crate::load_from;

mod cxone;
mod fields;
mod front;

/// A config without problems, to be made worse.
const GOOD: &str = "\
receiver:
  sources:
    cxone:
      path: /webhook
      subject: s
      key_field: meta.id
      auth: {type: bearer, tokens: [0123456789abcdef]}
";

fn problems(text: &str, part: Part) -> Vec<String> {
    check(&load_from("p.yaml", text, &[]).unwrap(), part).into_iter().map(|problem| problem.0).collect()
}

/// Returns the one problem of [`GOOD`] with `more` after it.
fn problem(more: &str) -> String {
    let found = problems(&format!("{GOOD}{more}"), Part::All);
    assert_eq!(found.len(), 1, "{more}: {found:?}");
    found[0].clone()
}

/// Returns the one problem of a source with these lines, which replace those of [`GOOD`].
fn source_problem(lines: &[&str]) -> String {
    let mut text = "receiver:\n  sources:\n    cxone:\n".to_owned();
    for default in GOOD.lines().skip(3) {
        let key = default.split(':').next().unwrap().trim();
        if !lines.iter().any(|line| line.starts_with(key)) {
            text.push_str(&format!("{default}\n"));
        }
    }
    lines.iter().for_each(|line| text.push_str(&format!("      {line}\n")));
    let found = problems(&text, Part::Receiver);
    assert_eq!(found.len(), 1, "{lines:?}: {found:?}");
    found[0].clone()
}

#[test]
fn a_good_config_has_no_problems() {
    assert!(problems(GOOD, Part::All).is_empty());
}

#[test]
fn the_defaults_lack_nothing_but_a_webhook() {
    assert!(problems("", Part::Indexer).is_empty());
    let found = problems("", Part::Receiver);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("receiver.sources: "), "{found:?}");
}

#[test]
fn all_problems_are_found_at_once() {
    let text =
        "kafka: {timeout: 0s, topic: ''}\nindexer: {group_id: ''}\nelasticsearch: {url: x}\nlog: {level: 'a=b=c'}\n";
    let found = problems(text, Part::All);
    for key in
        ["log.level", "kafka.timeout", "kafka.topic", "receiver.sources", "elasticsearch.url", "indexer.group_id"]
    {
        assert!(found.iter().any(|problem| problem.starts_with(&format!("{key}: "))), "{key}: {found:?}");
    }
}

#[test]
fn the_registrys_credentials_are_given_once_and_in_full() {
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

#[test]
fn problems_of_the_other_binary_do_not_matter() {
    assert!(problems("receiver: {request_timeout: 0s}", Part::Indexer).is_empty());
    assert!(
        problems(&format!("{GOOD}indexer: {{group_id: ''}}\nelasticsearch: {{url: x}}"), Part::Receiver).is_empty()
    );
}

#[test]
fn durations_and_sizes_of_nothing_are_refused() {
    for key in [
        "kafka: {timeout: 0s}",
        "schema_registry: {timeout: 0s}",
        "schema_registry: {refresh: 0s}",
        "schema_registry: {negative_ttl: 0s}",
        "schema_registry: {cache_capacity: 0}",
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
        "kafka: {create_topics: {partitions: 0, replication_factor: 1}}",
        "kafka: {create_topics: {partitions: 1, replication_factor: 0}}",
    ] {
        let words: Vec<&str> = key.split(['{', ':', ',']).map(str::trim).collect();
        let found = problem(key);
        assert!(found.starts_with(&format!("{}.{}", words[0], words[2])), "{found}");
    }
    for line in ["limits: {max_body: 0}", "limits: {max_depth: 0}", "limits: {max_items: 0}"] {
        assert!(source_problem(&[line]).starts_with("receiver.sources.cxone.limits."));
    }
    for key in ["request_timeout: 0s", "shutdown_timeout: 0s", "max_in_flight_requests: 0"] {
        assert!(problem_of_receiver(key).starts_with(&format!("receiver.{}", key.split(':').next().unwrap())));
    }
}

fn problem_of_receiver(line: &str) -> String {
    let text = GOOD.replace("receiver:\n", &format!("receiver:\n  {line}\n"));
    let found = problems(&text, Part::All);
    assert_eq!(found.len(), 1, "{line}: {found:?}");
    found[0].clone()
}

#[test]
fn an_event_may_be_nested_200_deep_and_no_deeper() {
    assert!(problems(&format!("{GOOD}indexer: {{max_depth: 200}}"), Part::All).is_empty());
    assert_eq!(problem("indexer: {max_depth: 201}"), "indexer.max_depth: must be at most 200");
    assert!(source_problem(&["limits: {max_depth: 201}"]).ends_with("limits.max_depth: must be at most 200"));
}

#[test]
fn a_body_larger_than_kafka_takes_is_refused() {
    assert!(source_problem(&["limits: {max_body: 1GB}"]).contains("limits.max_body: must be at most"));
}

#[test]
fn names_of_topics_are_kafkas() {
    for name in ["''", "a b", ".", "ä", &"x".repeat(250)] {
        assert!(problem(&format!("kafka: {{topic: {name}}}")).starts_with("kafka.topic: "), "{name}");
        assert!(source_problem(&[&format!("topic: {name}")]).starts_with("receiver.sources.cxone.topic: "), "{name}");
    }
}

#[test]
fn the_dead_letter_topic_is_no_topic_of_events() {
    let found = problems("kafka: {dead_letter_topic: t, topic: t}", Part::Indexer);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("kafka.dead_letter_topic: must not be kafka.topic"), "{found:?}");
    let found = source_problem(&["topic: cxone-events-dead-letters"]);
    assert_eq!(found, "receiver.sources.cxone.topic: must not be kafka.dead_letter_topic");
}

#[test]
fn brokers_are_not_empty() {
    for brokers in ["''", "'a:1,'", "'a:1 b:2'"] {
        assert!(problem(&format!("kafka: {{brokers: {brokers}}}")).starts_with("kafka.brokers: "), "{brokers}");
    }
}

#[test]
fn options_that_would_break_a_promise_are_refused_with_the_reason() {
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
        assert!(problems(&format!("{GOOD}kafka: {{options: {{{good}}}}}"), Part::All).is_empty(), "{good}");
    }
}

#[test]
fn addresses_are_of_http() {
    for url in ["''", "localhost:9200", "ftp://a", "http://", "'http://a:1,'"] {
        assert!(problem(&format!("elasticsearch: {{url: {url}}}")).starts_with("elasticsearch.url: "), "{url}");
    }
    assert!(problems(&format!("{GOOD}elasticsearch: {{url: 'http://a:1, https://b/x'}}"), Part::All).is_empty());
    assert!(problems(&format!("{GOOD}schema_registry: {{url: 'http://a:1, https://b/x'}}"), Part::All).is_empty());
    assert!(problem("schema_registry: {url: 'http://a,b'}").starts_with("schema_registry.url: "));
    let found = problem("elasticsearch: {url: 'ftp://me:hunter2@a'}");
    assert!(!found.contains("hunter2"), "{found}");
}

#[test]
fn names_of_indices_are_elasticsearchs() {
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
fn a_batch_fits_what_may_be_in_flight() {
    let found = problem("indexer: {max_in_flight_bytes: 1MiB, batch: {max_bytes: 2MiB}}");
    assert!(found.starts_with("indexer.max_in_flight_bytes: "), "{found}");
}

#[test]
fn a_drain_is_over_long_before_kafka_throws_the_indexer_out() {
    let found = problem("indexer: {drain_timeout: 151s}");
    assert!(found.starts_with("indexer.drain_timeout: must be at most 150000 ms"), "{found}");
    assert!(problem("kafka: {options: {max.poll.interval.ms: 20000}}").starts_with("indexer.drain_timeout: "));
    assert!(problem("kafka: {options: {max.poll.interval.ms: x}}").starts_with("kafka.options.max.poll.interval.ms: "));
}

#[test]
fn the_longest_wait_is_not_shorter_than_the_first() {
    assert!(problem("indexer: {retry: {initial: 10s, max: 5s}}").starts_with("indexer.retry.max: "));
}

#[test]
fn paths_begin_with_a_slash_and_are_there_once() {
    for path in ["webhook", "''", "/a b", "/{a}", "'/a?b'"] {
        let found = source_problem(&[&format!("path: {path}")]);
        assert!(found.starts_with("receiver.sources.cxone.path: "), "{path}: {found}");
    }
    let other = "    other: {path: /webhook, subject: s, auth: {type: none}}\n";
    let found = problem(other);
    assert_eq!(found, "receiver.sources.other.path: is also the path of receiver.sources.cxone");
}

#[test]
fn a_source_has_a_name_a_subject_and_a_field() {
    assert!(problem("    a/b: {path: /b, subject: s, auth: {type: none}}\n").starts_with("receiver.sources.a/b: "));
    assert!(source_problem(&["subject: ''"]).starts_with("receiver.sources.cxone.subject: "));
    for field in ["''", "a..b", ".a", "a."] {
        assert!(source_problem(&[&format!("key_field: {field}")]).starts_with("receiver.sources.cxone.key_field: "));
    }
}

#[test]
fn the_admin_port_is_not_the_port_of_the_webhooks() {
    assert!(problem_of_receiver("admin_listen: 127.0.0.1:8080").starts_with("receiver.admin_listen: "));
}

#[test]
fn a_webhook_without_a_secret_is_refused_with_the_keys_to_set() {
    let found = source_problem(&["auth: {type: bearer}"]);
    assert!(found.starts_with("receiver.sources.cxone.auth.tokens: there are none"), "{found}");
    assert!(found.contains("tokens or tokens_file") && found.contains("type: none"), "{found}");
    let found = source_problem(&["auth: {type: hmac, header: h}"]);
    assert!(found.starts_with("receiver.sources.cxone.auth.secrets: there are none"), "{found}");
    assert!(problems(&GOOD.replace("type: bearer, tokens: [0123456789abcdef]", "type: none"), Part::All).is_empty());
}

#[test]
fn a_secret_that_is_too_short_is_refused_and_not_shown() {
    let found = source_problem(&["auth: {type: bearer, tokens: [0123456789abcdef, hunter2-hunter2]}"]);
    assert!(found.starts_with("receiver.sources.cxone.auth.tokens: number 2 is 15 bytes"), "{found}");
    assert!(!found.contains("hunter2"), "{found}");
    source_problem(&["auth: {type: hmac, header: h, secrets: ['                    ']}"]);
}

#[test]
fn a_file_of_secrets_that_is_not_there_is_refused() {
    let found = source_problem(&["auth: {type: bearer, tokens_file: /nowhere/tokens}"]);
    assert!(found.starts_with("receiver.sources.cxone.auth.tokens_file: "), "{found}");
    assert!(found.contains("/nowhere/tokens"), "{found}");
}

#[test]
fn names_of_headers_are_names_of_headers() {
    let secrets = "secrets: [0123456789abcdef]";
    let found = source_problem(&[&format!("auth: {{type: hmac, header: 'a b', {secrets}}}")]);
    assert!(found.starts_with("receiver.sources.cxone.auth.header: "), "{found}");
    let found = source_problem(&[&format!("auth: {{type: hmac, header: h, timestamp_header: '', {secrets}}}")]);
    assert!(found.starts_with("receiver.sources.cxone.auth.timestamp_header: "), "{found}");
    let found = source_problem(&[&format!("auth: {{type: hmac, header: h, tolerance: 0s, {secrets}}}")]);
    assert!(found.starts_with("receiver.sources.cxone.auth.tolerance: "), "{found}");
}

#[test]
fn the_limits_of_files_and_the_quarantine_are_within_what_can_be_kept() {
    for (lines, key) in [
        (&["limits: {max_events: 0}"][..], "limits.max_events"),
        (&["limits: {max_events: 100001}"], "limits.max_events"),
        (&["limits: {max_decompressed: 0}"], "limits.max_decompressed"),
        (&["quarantine: {per_second: 0}"], "quarantine.per_second"),
        (&["quarantine: {max_body: 0}"], "quarantine.max_body"),
        (&["quarantine: {topic: cxone-events}"], "quarantine.topic"),
        (&["quarantine: {topic: 'a b'}"], "quarantine.topic"),
        (&["quarantine: {topic: cxone-events-dead-letters}"], "quarantine.topic"),
    ] {
        let problem = source_problem(lines);
        assert!(problem.starts_with(&format!("receiver.sources.cxone.{key}: ")), "{problem}");
    }
}
