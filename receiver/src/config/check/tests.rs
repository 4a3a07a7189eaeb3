//! Each test checks one rule.

use config::{check, load_from};

use super::*;

mod cxone;
mod front;

/// A config without problems. The tests break it.
const GOOD: &str = "\
receiver:
  sources:
    cxone:
      path: /webhook
      subject: s
      key_field: meta.id
      auth: {type: bearer, tokens: [0123456789abcdef]}
";

fn problems(text: &str) -> Vec<String> {
    let config: Config = load_from("p.yaml", text, &[]).unwrap();
    check(&config).into_iter().map(|problem| problem.0).collect()
}

/// Returns the only problem of [`GOOD`] followed by `more`.
fn problem(more: &str) -> String {
    let found = problems(&format!("{GOOD}{more}"));
    assert_eq!(found.len(), 1, "{more}: {found:?}");
    found[0].clone()
}

/// Returns the only problem of a source with these lines, which replace those of [`GOOD`].
fn source_problem(lines: &[&str]) -> String {
    let mut text = "receiver:\n  sources:\n    cxone:\n".to_owned();
    for default in GOOD.lines().skip(3) {
        let key = default.split(':').next().unwrap().trim();
        if !lines.iter().any(|line| line.starts_with(key)) {
            text.push_str(&format!("{default}\n"));
        }
    }
    lines.iter().for_each(|line| text.push_str(&format!("      {line}\n")));
    let found = problems(&text);
    assert_eq!(found.len(), 1, "{lines:?}: {found:?}");
    found[0].clone()
}

#[test]
fn a_good_config_has_no_problems() {
    assert!(problems(GOOD).is_empty());
}

fn problem_of_receiver(line: &str) -> String {
    let text = GOOD.replace("receiver:\n", &format!("receiver:\n  {line}\n"));
    let found = problems(&text);
    assert_eq!(found.len(), 1, "{line}: {found:?}");
    found[0].clone()
}

#[test]
fn a_body_limit_above_that_of_kafka_is_refused() {
    assert!(source_problem(&["limits: {max_body: 1GB}"]).contains("limits.max_body: must be at most"));
}

#[test]
fn paths_must_begin_with_a_slash_and_be_unique() {
    for path in ["webhook", "''", "/a b", "/{a}", "'/a?b'"] {
        let found = source_problem(&[&format!("path: {path}")]);
        assert!(found.starts_with("receiver.sources.cxone.path: "), "{path}: {found}");
    }
    let other = "    other: {path: /webhook, subject: s, auth: {type: none}}\n";
    let found = problem(other);
    assert_eq!(found, "receiver.sources.other.path: is also the path of receiver.sources.cxone");
}

#[test]
fn a_source_needs_a_valid_name_subject_and_key_field() {
    assert!(problem("    a/b: {path: /b, subject: s, auth: {type: none}}\n").starts_with("receiver.sources.a/b: "));
    assert!(source_problem(&["subject: ''"]).starts_with("receiver.sources.cxone.subject: "));
    for field in ["''", "a..b", ".a", "a."] {
        assert!(source_problem(&[&format!("key_field: {field}")]).starts_with("receiver.sources.cxone.key_field: "));
    }
}

#[test]
fn the_admin_port_must_differ_from_the_webhook_port() {
    assert!(problem_of_receiver("admin_listen: 127.0.0.1:8080").starts_with("receiver.admin_listen: "));
}

#[test]
fn a_webhook_without_a_secret_is_refused_with_the_keys_to_set() {
    let found = source_problem(&["auth: {type: bearer}"]);
    assert!(found.starts_with("receiver.sources.cxone.auth.tokens: must not be empty"), "{found}");
    assert!(found.contains("tokens or tokens_file") && found.contains("type: none"), "{found}");
    let found = source_problem(&["auth: {type: hmac, header: h}"]);
    assert!(found.starts_with("receiver.sources.cxone.auth.secrets: must not be empty"), "{found}");
    assert!(problems(&GOOD.replace("type: bearer, tokens: [0123456789abcdef]", "type: none")).is_empty());
}

#[test]
fn a_secret_that_is_too_short_is_refused_and_not_shown() {
    let found = source_problem(&["auth: {type: bearer, tokens: [0123456789abcdef, hunter2-hunter2]}"]);
    assert!(found.starts_with("receiver.sources.cxone.auth.tokens: number 2 is 15 bytes"), "{found}");
    assert!(!found.contains("hunter2"), "{found}");
    source_problem(&["auth: {type: hmac, header: h, secrets: ['                    ']}"]);
}

#[test]
fn a_missing_file_of_secrets_is_refused() {
    let found = source_problem(&["auth: {type: bearer, tokens_file: /nowhere/tokens}"]);
    assert!(found.starts_with("receiver.sources.cxone.auth.tokens_file: "), "{found}");
    assert!(found.contains("/nowhere/tokens"), "{found}");
}

#[test]
fn invalid_header_names_and_tolerances_are_refused() {
    let secrets = "secrets: [0123456789abcdef]";
    let found = source_problem(&[&format!("auth: {{type: hmac, header: 'a b', {secrets}}}")]);
    assert!(found.starts_with("receiver.sources.cxone.auth.header: "), "{found}");
    let found = source_problem(&[&format!("auth: {{type: hmac, header: h, timestamp_header: '', {secrets}}}")]);
    assert!(found.starts_with("receiver.sources.cxone.auth.timestamp_header: "), "{found}");
    let found = source_problem(&[&format!("auth: {{type: hmac, header: h, tolerance: 0s, {secrets}}}")]);
    assert!(found.starts_with("receiver.sources.cxone.auth.tolerance: "), "{found}");
}

#[test]
fn limits_of_files_and_of_the_quarantine_are_checked() {
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

#[test]
fn a_subject_of_another_context_of_the_registry_is_refused() {
    let text = GOOD.replace("subject: s", "subject: ':.prod:s'");
    let found = problems(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("receiver.sources.cxone.subject: names a context"), "{found:?}");
    let found = source_problem(&["accept_subjects: [a, ':.prod:s']"]);
    assert!(found.starts_with("receiver.sources.cxone.accept_subjects: names a context"), "{found}");
    assert!(problems(&GOOD.replace("subject: s", "subject: ':.:s'")).is_empty(), "the default context");
}

#[test]
fn the_defaults_need_only_a_webhook() {
    let found = problems("");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("receiver.sources: "), "{found:?}");
}

#[test]
fn all_problems_are_found_at_once() {
    let found = problems("kafka: {timeout: 0s, topic: ''}\nreceiver: {head_timeout: 0s}\nlog: {level: 'a=b=c'}\n");
    for key in ["log.level", "kafka.timeout", "kafka.topic", "receiver.head_timeout", "receiver.sources"] {
        assert!(found.iter().any(|problem| problem.starts_with(&format!("{key}: "))), "{key}: {found:?}");
    }
}

#[test]
fn zero_durations_and_sizes_are_refused() {
    for line in ["limits: {max_body: 0}", "limits: {max_depth: 0}", "limits: {max_items: 0}"] {
        assert!(source_problem(&[line]).starts_with("receiver.sources.cxone.limits."));
    }
    for key in ["request_timeout: 0s", "shutdown_timeout: 0s", "max_in_flight_requests: 0"] {
        assert!(problem_of_receiver(key).starts_with(&format!("receiver.{}", key.split(':').next().unwrap())));
    }
}

#[test]
fn events_may_be_nested_at_most_200_deep() {
    assert!(source_problem(&["limits: {max_depth: 201}"]).ends_with("limits.max_depth: must be at most 200"));
}

#[test]
fn topic_names_must_be_valid_in_kafka() {
    for name in ["''", "a b", ".", "ä", &"x".repeat(250)] {
        assert!(source_problem(&[&format!("topic: {name}")]).starts_with("receiver.sources.cxone.topic: "), "{name}");
    }
    let found = source_problem(&["topic: cxone-events-dead-letters"]);
    assert_eq!(found, "receiver.sources.cxone.topic: must not be kafka.dead_letter_topic");
}
