//! What every Kafka client of ours agrees on: its settings and logins, the topics, where a record stands ([`position`])
//! and the names of its headers ([`headers`]).

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

/// Returns the librdkafka settings of a client named `client_id`: the brokers, `kafka.security` and `kafka.options`.
/// Whoever builds a producer or a consumer from it sets afterwards what the promises need, so that the options cannot
/// undo it. A client whose context lacks a [`Login`] gets no tokens for OAUTHBEARER.
///
/// # Errors
/// When the file of a password cannot be read.
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

/// Returns the settings of a producer that acknowledges only what every in-sync replica has (P1): `acks=all` and
/// idempotent, so that its own retries neither lose, reorder nor repeat. A record that is not acknowledged within
/// `delivery_timeout` fails.
///
/// # Errors
/// As [`client_config`].
pub fn producer_config(kafka: &Kafka, client_id: &str, delivery_timeout: Duration) -> KafkaResult<ClientConfig> {
    let mut config = client_config(kafka, client_id)?;
    config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("message.timeout.ms", delivery_timeout.as_millis().to_string());
    Ok(config)
}

/// `error` without the value of a setting, unless it is one that may be seen: librdkafka and its Rust binding write
/// what they refuse into what they say.
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
