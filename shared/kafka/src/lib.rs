//! What all Kafka clients of Penstock share: settings and logins, topics, positions of records ([`position`]) and the
//! names of record headers ([`headers`]).

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaConfRes;

use config::Kafka;
use config::redact::is_public;

pub use login::Login;
pub use topics::{TopicError, create_missing_topics};

pub mod headers;
mod login;
pub mod position;
mod security;
mod topics;

/// Returns the librdkafka settings of a client named `client_id`: the brokers, `kafka.security` and `kafka.options`. A
/// caller that builds a producer or consumer sets afterwards what the promises need, so that the options cannot undo
/// it. A client whose context lacks a [`Login`] gets no tokens for OAUTHBEARER.
///
/// # Errors
/// If a password file cannot be read.
pub fn client_config(kafka: &Kafka, client_id: &str) -> KafkaResult<ClientConfig> {
    let mut config = ClientConfig::new();
    config.set("client.id", client_id);
    for (key, value) in &kafka.options {
        config.set(key, value);
    }
    config.set("bootstrap.servers", &kafka.brokers);
    if let Some(security) = &kafka.security {
        security::apply(&mut config, security)?;
    }
    Ok(config)
}

/// The setting whether asking for a missing topic creates it, if the brokers allow it.
const AUTO_CREATE: &str = "allow.auto.create.topics";

/// Returns the settings of a producer that acknowledges a record only once every in-sync replica has it (P1):
/// `acks=all` and idempotent, so that its own retries never lose, reorder or repeat records. A record that is not
/// acknowledged within `delivery_timeout` fails. The producer creates no topics, unless `kafka.options` says so: a
/// misspelt topic would exist at once, with the brokers' defaults, and nobody would read it.
///
/// # Errors
/// As for [`client_config`].
pub fn producer_config(kafka: &Kafka, client_id: &str, delivery_timeout: Duration) -> KafkaResult<ClientConfig> {
    let mut config = client_config(kafka, client_id)?;
    config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("message.timeout.ms", delivery_timeout.as_millis().to_string());
    if !kafka.options.contains_key(AUTO_CREATE) {
        // librdkafka's default for producers is true.
        config.set(AUTO_CREATE, "false");
    }
    Ok(config)
}

/// Returns `error` without the value of a setting, unless that value may be shown. librdkafka and its Rust binding
/// quote a refused value in their message.
pub fn without_value(error: KafkaError) -> KafkaError {
    match error {
        KafkaError::ClientConfig(code, _, key, _) if !is_public(&key) => {
            let said = match code {
                RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN => "librdkafka does not know the setting:",
                _ => "librdkafka refuses the value of the setting:",
            };
            KafkaError::ClientConfig(code, said.to_owned(), key, "(its value is not shown)".to_owned())
        }
        error => error,
    }
}

#[cfg(test)]
mod tests;
