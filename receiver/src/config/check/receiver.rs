//! Checks of `receiver`.

use std::collections::BTreeMap;

use config::check::{Problems, as_u64};

use crate::config::{Auth, Config, Limits, ProxyProtocol, Receiver, Source, Tls};

mod auth;
mod verification;

/// The largest `limits.max_body`. librdkafka accepts records of up to 1,000,000,000 bytes (`message.max.bytes`).
const MAX_BODY: u64 = 512 * 1024 * 1024;

/// The largest `limits.max_events`: the default size of librdkafka's queue (`queue.buffering.max.messages`).
const MAX_EVENTS: u64 = 100_000;
/// The largest `receiver.max_in_flight_bytes`.
const MAX_IN_FLIGHT_BYTES: u64 = 1 << 40;

/// The largest `older_versions`. A body that fits no version is read this many times.
const MAX_OLDER_VERSIONS: u64 = 10;
/// The most `accept_subjects`.
const MAX_SUBJECTS: usize = 100;

/// The path of the description of the webhooks, if it is public.
const OPENAPI: &str = "/openapi.json";

pub(super) fn check(config: &Config, problems: &mut Problems) {
    let receiver = &config.receiver;
    problems.not_zero("receiver.request_timeout", receiver.request_timeout);
    problems.not_zero("receiver.shutdown_timeout", receiver.shutdown_timeout);
    problems.within("receiver.max_in_flight_requests", as_u64(receiver.max_in_flight_requests), 1, 1_000_000);
    let unauthenticated = as_u64(receiver.max_unauthenticated_requests);
    problems.within("receiver.max_unauthenticated_requests", unauthenticated, 1, 1_000_000);
    problems.within("receiver.max_connections", as_u64(receiver.max_connections), 1, 1_000_000);
    if let Some(connections) = receiver.max_connections_per_address {
        problems.within("receiver.max_connections_per_address", as_u64(connections), 1, 1_000_000);
    }
    problems.within("receiver.max_in_flight_bytes", receiver.max_in_flight_bytes.as_u64(), 1, MAX_IN_FLIGHT_BYTES);
    if let Some(threads) = receiver.worker_threads {
        problems.within("receiver.worker_threads", as_u64(threads), 1, 1_024);
    }
    problems.not_zero("receiver.head_timeout", receiver.head_timeout);
    problems.not_zero("receiver.idle_timeout", receiver.idle_timeout);
    problems.not_zero("receiver.write_timeout", receiver.write_timeout);
    problems.not_zero("receiver.unauthenticated_timeout", receiver.unauthenticated_timeout);
    if let Some(tls) = &receiver.tls {
        check_tls(tls, problems);
    }
    check_proxies(receiver, problems);
    let (listen, admin) = (receiver.listen, receiver.admin_listen);
    let same_address = listen.ip() == admin.ip() || listen.ip().is_unspecified() || admin.ip().is_unspecified();
    if listen.port() == admin.port() && listen.port() != 0 && same_address {
        problems.add("receiver.admin_listen", "must not be on the port of receiver.listen");
    }
    if receiver.sources.is_empty() {
        problems.add("receiver.sources", "no webhook is configured; add one, such as receiver.sources.cxone");
    }
    let mut paths: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, source) in &receiver.sources {
        let key = format!("receiver.sources.{name}");
        if let Some(other) = paths.insert(&source.path, name) {
            problems.add(format_args!("{key}.path"), format_args!("is also the path of receiver.sources.{other}"));
        }
        if receiver.publish_openapi && source.path == OPENAPI {
            problems.add(format_args!("{key}.path"), "is the path of the description; see receiver.publish_openapi");
        }
        check_source(config, name, &key, source, problems);
    }
}

fn check_tls(tls: &Tls, problems: &mut Problems) {
    let files = [
        ("receiver.tls.certificate_file", Some(&tls.certificate_file)),
        ("receiver.tls.key_file", Some(&tls.key_file)),
        ("receiver.tls.client_ca_file", tls.client_ca_file.as_ref()),
    ];
    for (key, file) in files {
        problems.readable(key, file);
    }
}

fn check_proxies(receiver: &Receiver, problems: &mut Problems) {
    if receiver.proxy_protocol != ProxyProtocol::None && receiver.trusted_proxies.is_empty() {
        problems.add("receiver.proxy_protocol", "it needs receiver.trusted_proxies: only they may connect");
    }
    let Some(forwarded) = &receiver.forwarded_certificate else { return };
    if receiver.trusted_proxies.is_empty() {
        let message = "does nothing without receiver.trusted_proxies: only their header counts";
        problems.add("receiver.forwarded_certificate", message);
    }
    auth::header_name("receiver.forwarded_certificate.header".to_owned(), forwarded.header(), problems);
}

fn check_limits(config: &Config, key: &str, limits: &Limits, problems: &mut Problems) {
    let max_body = limits.max_body.as_u64();
    problems.within(format_args!("{key}.max_body"), max_body, 1, MAX_BODY);
    if max_body <= MAX_BODY && max_body > config.receiver.max_in_flight_bytes.as_u64() {
        let message = "must not be more than receiver.max_in_flight_bytes: such a body would never be accepted";
        problems.add(format_args!("{key}.max_body"), message);
    }
    let max_decompressed = limits.max_decompressed.as_u64();
    problems.within(format_args!("{key}.max_decompressed"), max_decompressed, 1, MAX_BODY);
    problems.within(format_args!("{key}.max_events"), u64::from(limits.max_events), 1, MAX_EVENTS);
    problems.limits(key, limits.max_depth, limits.max_items, limits.max_values);
    if limits.max_requests_per_second == Some(0) {
        problems.add(format_args!("{key}.max_requests_per_second"), "must be at least 1");
    }
    if limits.burst == Some(0) {
        problems.add(format_args!("{key}.burst"), "must be at least 1");
    }
    if limits.burst.is_some() && limits.max_requests_per_second.is_none() {
        let message = "does nothing without max_requests_per_second: set that too";
        problems.add(format_args!("{key}.burst"), message);
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
    check_contexts(key, source, problems);
    problems.within(format_args!("{key}.older_versions"), u64::from(source.older_versions), 0, MAX_OLDER_VERSIONS);
    if source.accept_subjects.len() > MAX_SUBJECTS || source.accept_subjects.iter().any(String::is_empty) {
        problems.add(format_args!("{key}.accept_subjects"), "must be names of subjects, 100 of them at most");
    }
    if let Some(topic) = &source.topic {
        problems.topic(format_args!("{key}.topic"), topic);
    }
    if source.topic.as_ref().unwrap_or(&config.kafka.topic) == &config.kafka.dead_letter_topic {
        problems.add(format_args!("{key}.topic"), "must not be kafka.dead_letter_topic");
    }
    if source.key_field.as_ref().is_some_and(|field| field.split('.').any(str::is_empty)) {
        problems.add(format_args!("{key}.key_field"), "must be the names of fields with dots between them");
    }
    if source.id_scope.is_some() && source.key_field.is_none() {
        problems.add(format_args!("{key}.id_scope"), "does nothing without key_field: set that too");
    }
    let is_media_type = |name: &String| {
        name.split_once('/')
            .is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty() && !name.contains([';', ' ', ',']))
    };
    if !source.content_types.iter().all(is_media_type) {
        let message = "each must be a media type without parameters, such as application/octet-stream";
        problems.add(format_args!("{key}.content_types"), message);
    }
    check_quarantine(config, key, source, problems);
    check_limits(config, &format!("{key}.limits"), &source.limits, problems);
    let client_cas = config.receiver.tls.as_ref().is_some_and(|tls| tls.client_ca_file.is_some());
    if matches!(source.auth, Auth::Mtls { .. }) && !client_cas && config.receiver.forwarded_certificate.is_none() {
        let message = "mtls needs receiver.tls.client_ca_file: the authorities whose client certificates are accepted; or \
                       receiver.forwarded_certificate, where a proxy checks them";
        problems.add(format_args!("{key}.auth.type"), message);
    }
    auth::check(&format!("{key}.auth"), &source.auth, problems);
    if let Some(verification) = &source.verification {
        verification::check(&format!("{key}.verification"), verification, &source.auth, problems);
    }
}

/// Refuses subjects of another context than the registry's default one (`:.prod:events-value`): each context counts ids
/// of its own, and the ids in records are looked up in the context of the registry's address.
fn check_contexts(key: &str, source: &Source, problems: &mut Problems) {
    const MESSAGE: &str = "names a context of the registry. Schema ids in records do not name it, so write it into \
                           schema_registry.url (https://…/contexts/.NAME), and the subject without it";
    // The default context is a single dot.
    let is_elsewhere = |subject: &str| subject.starts_with(":.") && !subject.starts_with(":.:");
    if is_elsewhere(&source.subject) {
        problems.add(format_args!("{key}.subject"), MESSAGE);
    }
    if source.accept_subjects.iter().any(|subject| is_elsewhere(subject)) {
        problems.add(format_args!("{key}.accept_subjects"), MESSAGE);
    }
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
