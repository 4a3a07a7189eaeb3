//! `receiver`.

use std::collections::BTreeMap;

use super::Problems;
use crate::config::{Auth, Config, Source};
use crate::secret::Secret;

/// Bytes that a secret must have at least: 128 bits, which is what NIST SP 800-107 wants of an HMAC key, and what cannot be guessed.
const MIN_SECRET: usize = 16;

/// The largest `limits.max_body`. librdkafka takes records of up to 1,000,000,000 bytes (`message.max.bytes`).
const MAX_BODY: u64 = 512 * 1024 * 1024;

/// The largest `limits.max_events`: what librdkafka's queue takes (`queue.buffering.max.messages`), where nothing else is set.
const MAX_EVENTS: u64 = 100_000;

pub(super) fn check(config: &Config, problems: &mut Problems) {
    let receiver = &config.receiver;
    problems.not_zero("receiver.request_timeout", receiver.request_timeout);
    problems.not_zero("receiver.shutdown_timeout", receiver.shutdown_timeout);
    let in_flight = u64::try_from(receiver.max_in_flight_requests).unwrap_or(u64::MAX);
    problems.within("receiver.max_in_flight_requests", in_flight, 1, 1_000_000);
    let (listen, admin) = (receiver.listen, receiver.admin_listen);
    let same_address = listen.ip() == admin.ip() || listen.ip().is_unspecified() || admin.ip().is_unspecified();
    if listen.port() == admin.port() && listen.port() != 0 && same_address {
        problems.add("receiver.admin_listen", "must not be on the port of receiver.listen");
    }
    if receiver.sources.is_empty() {
        problems.add("receiver.sources", "there is no webhook; add one, such as receiver.sources.cxone");
    }
    let mut paths: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, source) in &receiver.sources {
        let key = format!("receiver.sources.{name}");
        if let Some(other) = paths.insert(&source.path, name) {
            problems.add(format_args!("{key}.path"), format_args!("is also the path of receiver.sources.{other}"));
        }
        check_source(config, name, &key, source, problems);
    }
}

fn check_source(config: &Config, name: &str, key: &str, source: &Source, problems: &mut Problems) {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(legal) {
        problems.add(key, "the name of a source must be of letters, digits, -, _ and .");
    }
    let path = source.path.as_str();
    if !path.starts_with('/') || path.contains(['?', '#', '{', '}', '*', ':', ' ']) {
        let message = "must begin with / and hold none of ? # { } * : and no space, such as /webhook/cxone/events";
        problems.add(format_args!("{key}.path"), message);
    }
    problems.not_empty(format_args!("{key}.subject"), &source.subject);
    if let Some(topic) = &source.topic {
        problems.topic(format_args!("{key}.topic"), topic);
    }
    if source.topic.as_ref().unwrap_or(&config.kafka.topic) == &config.kafka.dead_letter_topic {
        problems.add(format_args!("{key}.topic"), "must not be kafka.dead_letter_topic");
    }
    if source.key_field.as_ref().is_some_and(|field| field.split('.').any(str::is_empty)) {
        problems.add(format_args!("{key}.key_field"), "must be the names of fields with dots between them");
    }
    let max_body = source.limits.max_body.as_u64();
    problems.within(format_args!("{key}.limits.max_body"), max_body, 1, MAX_BODY);
    let max_decompressed = source.limits.max_decompressed.as_u64();
    problems.within(format_args!("{key}.limits.max_decompressed"), max_decompressed, 1, MAX_BODY);
    let max_events = u64::from(source.limits.max_events);
    problems.within(format_args!("{key}.limits.max_events"), max_events, 1, MAX_EVENTS);
    check_quarantine(config, key, source, problems);
    problems.limits(&format!("{key}.limits"), source.limits.max_depth, source.limits.max_items);
    check_auth(&format!("{key}.auth"), &source.auth, problems);
}

fn check_quarantine(config: &Config, key: &str, source: &Source, problems: &mut Problems) {
    let quarantine = &source.quarantine;
    if !quarantine.enabled {
        return;
    }
    if let Some(topic) = &quarantine.topic {
        problems.topic(format_args!("{key}.quarantine.topic"), topic);
    }
    let topic = quarantine.topic.as_ref().unwrap_or(&config.kafka.quarantine_topic);
    if topic == source.topic.as_ref().unwrap_or(&config.kafka.topic) {
        problems.add(format_args!("{key}.quarantine.topic"), "must not be the topic of the source's events");
    }
    if topic == &config.kafka.dead_letter_topic {
        problems.add(format_args!("{key}.quarantine.topic"), "must not be kafka.dead_letter_topic");
    }
    problems.within(format_args!("{key}.quarantine.max_body"), quarantine.max_body.as_u64(), 1, MAX_BODY);
    problems.within(format_args!("{key}.quarantine.per_second"), u64::from(quarantine.per_second), 1, 10_000);
}

fn check_auth(key: &str, auth: &Auth, problems: &mut Problems) {
    if let Auth::Hmac { header, timestamp_header, tolerance, .. } = auth {
        header_name(format!("{key}.header"), header, problems);
        if let Some(header) = timestamp_header {
            header_name(format!("{key}.timestamp_header"), header, problems);
        }
        problems.not_zero(format_args!("{key}.tolerance"), *tolerance);
    }
    let Some((list, file)) = auth.secret_keys() else {
        return;
    };
    let secrets = match auth.secrets() {
        Ok(secrets) => secrets,
        Err(error) => return problems.add(format_args!("{key}.{file}"), error),
    };
    if secrets.is_empty() {
        let message =
            format!("there is none, so nobody could post: set {list} or {file}; only type: none leaves it open");
        problems.add(format_args!("{key}.{list}"), message);
    }
    for (number, secret) in secrets.iter().enumerate() {
        check_secret(&format!("{key}.{list}"), number + 1, secret, problems);
    }
}

fn check_secret(key: &str, number: usize, secret: &Secret, problems: &mut Problems) {
    let length = secret.expose().trim().len();
    if length < MIN_SECRET {
        let message = format!(
            "number {number} is {length} bytes, too short to be safe: at least {MIN_SECRET}, such as `openssl rand -hex 32` gives"
        );
        problems.add(key, message);
    }
}

/// A name as RFC 9110, section 5.1, has it.
fn header_name(key: String, name: &str, problems: &mut Problems) {
    if axum::http::HeaderName::from_bytes(name.as_bytes()).is_err() {
        problems.add(key, "must be the name of an HTTP header");
    }
}
