//! What every Kafka client of ours agrees on: its settings and logins, the topics, where a record stands ([`position`])
//! and the names of its headers ([`headers`]).

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::{RDKafkaConfRes, RDKafkaErrorCode};

use config::redact::is_public;
use config::{CreateTopics, Kafka};

pub use login::Login;

pub mod headers;
mod login;
pub mod position;
mod security;

/// The largest record of a dead-letter topic that is created here: 100 MiB.
const MAX_DEAD_LETTER_BYTES: &str = "104857600";

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

/// Creates those of `topics` that are missing, where `kafka.create_topics` asks for it. A topic that is there, or that
/// another process creates at the same time, is no error.
///
/// # Errors
/// When the cluster cannot be reached within `kafka.timeout` or refuses; the message names the topic.
pub async fn create_missing_topics(kafka: &Kafka, client_id: &str, topics: &[&str]) -> Result<(), TopicError> {
    let Some(create) = kafka.create_topics else {
        return Ok(());
    };
    // Kafka refuses a request that names a topic twice, and librdkafka one that names none.
    let names: BTreeSet<&str> = topics.iter().copied().collect();
    if names.is_empty() {
        return Ok(());
    }
    let admin: AdminClient<DefaultClientContext> = client_config(kafka, client_id)
        .and_then(|config| config.create())
        .map_err(|error| TopicError::Kafka(without_value(error)))?;
    let new: Vec<NewTopic<'_>> = names.into_iter().map(|topic| new_topic(kafka, create, topic)).collect();
    let options = AdminOptions::new().operation_timeout(Some(kafka.timeout)).request_timeout(Some(kafka.timeout));
    let results = admin.create_topics(&new, &options).await.map_err(TopicError::Kafka)?;
    for result in results {
        match result {
            Ok(topic) => tracing::info!(topic, "Created the topic."),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => return Err(TopicError::Refused { topic, code }),
        }
    }
    Ok(())
}

fn new_topic<'a>(kafka: &Kafka, create: CreateTopics, topic: &'a str) -> NewTopic<'a> {
    let new = NewTopic::new(topic, create.partitions, TopicReplication::Fixed(create.replication_factor));
    if topic == kafka.dead_letter_topic {
        // A dead letter is its record and some headers: what one topic took the other must take too.
        return new.set("max.message.bytes", MAX_DEAD_LETTER_BYTES);
    }
    new
}

/// Why topics could not be created.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// The cluster did not answer.
    #[error("kafka.create_topics: the cluster did not create the topics: {0}")]
    Kafka(#[source] KafkaError),
    /// The cluster refused one topic.
    #[error("kafka.create_topics: the cluster refused to create topic {topic}: {code}")]
    Refused {
        /// The topic.
        topic: String,
        /// What the cluster said.
        code: RDKafkaErrorCode,
    },
}

#[cfg(test)]
mod tests;
