//! `kafka`.

use super::Problems;
use crate::{Kafka, KafkaSecurity, SaslMechanism};

pub(super) fn check(kafka: &Kafka, problems: &mut Problems) {
    for broker in kafka.brokers.split(',') {
        let broker = broker.trim();
        if broker.is_empty() || broker.contains(char::is_whitespace) {
            problems.add("kafka.brokers", "must be host:port, several separated by commas");
        }
    }
    problems.topic("kafka.topic", &kafka.topic);
    if let Some(create) = kafka.create_topics {
        if create.partitions < 1 {
            problems.add("kafka.create_topics.partitions", "must be at least 1");
        }
        if create.replication_factor < 1 {
            problems.add("kafka.create_topics.replication_factor", "must be at least 1");
        }
    }
    problems.not_zero("kafka.timeout", kafka.timeout);
    if let Some(security) = &kafka.security {
        check_security(security, problems);
        if security.mechanism == Some(SaslMechanism::OAuthBearer) && kafka.create_topics.is_some() {
            // rdkafka's admin client does not ask for tokens.
            let message = "does not go with kafka.security.mechanism: OAUTHBEARER; create the topics beforehand";
            problems.add("kafka.create_topics", message);
        }
    }
    for (key, value) in &kafka.options {
        if kafka.security.is_some() && is_of_security(key) {
            problems.add(format_args!("kafka.options.{key}"), "is set by kafka.security");
        }
        if let Some(reason) = refusal(key, value.trim()) {
            problems.add(format_args!("kafka.options.{key}"), reason);
        }
    }
}

/// Returns whether `kafka.security` controls the librdkafka setting `key`.
fn is_of_security(key: &str) -> bool {
    key == "security.protocol" || key.starts_with("sasl.") || key.starts_with("ssl.")
}

fn check_security(security: &KafkaSecurity, problems: &mut Problems) {
    for (key, file) in [
        ("ca_file", &security.ca_file),
        ("certificate_file", &security.certificate_file),
        ("key_file", &security.key_file),
        ("key_password_file", &security.key_password_file),
        ("password_file", &security.password_file),
    ] {
        problems.readable(format_args!("kafka.security.{key}"), file.as_ref());
    }
    if security.certificate_file.is_some() != security.key_file.is_some() {
        problems.add("kafka.security.certificate_file", "needs kafka.security.key_file, and the other way round");
    }
    match (security.protocol.has_sasl(), security.mechanism) {
        (true, None) => {
            problems.add("kafka.security.mechanism", "is missing: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER");
        }
        (false, Some(_)) => {
            problems.add("kafka.security.mechanism", "needs protocol: sasl_ssl or sasl_plaintext");
        }
        (true, Some(SaslMechanism::OAuthBearer)) => check_oauth(security, problems),
        (true, Some(SaslMechanism::Plain | SaslMechanism::ScramSha256 | SaslMechanism::ScramSha512)) => {
            if security.username.is_none() {
                problems.add("kafka.security.username", "is missing: the user that Penstock logs in as");
            }
            if security.password.is_none() && security.password_file.is_none() {
                problems.add("kafka.security.password", "is missing: set it, or password_file");
            }
        }
        (false, None) => {}
    }
}

fn check_oauth(security: &KafkaSecurity, problems: &mut Problems) {
    let Some(oauth) = &security.oauth else {
        return problems.add("kafka.security.oauth", "is missing: OAUTHBEARER gets its tokens there");
    };
    problems.addresses("kafka.security.oauth.token_url", &oauth.token_url);
    problems.not_empty("kafka.security.oauth.client_id", &oauth.client_id);
    problems.readable("kafka.security.oauth.client_secret_file", oauth.client_secret_file.as_ref());
    problems.readable("kafka.security.oauth.ca_file", oauth.ca_file.as_ref());
    if oauth.client_secret.is_none() && oauth.client_secret_file.is_none() {
        problems.add("kafka.security.oauth.client_secret", "is missing: set it, or client_secret_file");
    }
}

/// Returns why `key`, a librdkafka setting or its alias, must not have this value: it would break a promise, or
/// override one of Penstock's own keys.
fn refusal(key: &str, value: &str) -> Option<&'static str> {
    Some(match (key, value) {
        ("acks" | "request.required.acks", "all" | "-1")
        | ("enable.idempotence", "true")
        | ("delivery.report.only.error", "false")
        | ("auto.offset.reset", "earliest" | "smallest" | "beginning") => return None,
        ("acks" | "request.required.acks", _) => "must be all: a 200 means that every in-sync replica has the event",
        ("enable.idempotence", _) => "must be true: without it a retry writes an event twice or out of order",
        ("delivery.report.only.error", _) => "must be false: an event counts as taken when its delivery is reported",
        ("auto.offset.reset", _) => "must be earliest: a new group would skip what is in the topic",
        ("bootstrap.servers" | "metadata.broker.list", _) => "is set by kafka.brokers",
        ("group.id", _) => "is set by indexer.group_id",
        ("group.instance.id", _) => "is set by indexer.group_instance_id",
        ("group.protocol" | "partition.assignment.strategy", _) => "is set by indexer.group_protocol",
        ("enable.gapless.guarantee", _) => "would stop the producer for good when one event runs out of time",
        ("transactional.id", _) => "is not used: events are produced without transactions",
        ("message.timeout.ms" | "delivery.timeout.ms", _) => {
            "follows from receiver.request_timeout, so that no request hangs"
        }
        ("enable.auto.commit" | "auto.commit.enable" | "auto.commit.interval.ms", _) => {
            "is not used: offsets are committed past settled events only, every indexer.commit_interval"
        }
        ("enable.auto.offset.store" | "offset.store.method" | "offset.store.path", _) => {
            "is not used: offsets are committed past settled events only"
        }
        ("enable.partition.eof", _) => "is not used",
        _ => return None,
    })
}
