//! Creates missing topics if the config asks for it.

use std::collections::BTreeSet;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use super::{client_config, without_value};
use config::{CreateTopics, Kafka};

/// The largest record of a dead-letter topic created here: 100 MiB.
const MAX_DEAD_LETTER_BYTES: &str = "104857600";

/// Creates the missing ones of `topics` if `kafka.create_topics` is set. A topic that exists, or that another process
/// creates at the same time, is not an error.
///
/// # Errors
/// If the cluster cannot be reached within `kafka.timeout`, or refuses. The message names the topic.
pub async fn create_missing_topics(kafka: &Kafka, client_id: &str, topics: &[&str]) -> Result<(), TopicError> {
    let Some(create) = kafka.create_topics else {
        return Ok(());
    };
    // Kafka refuses a request that names a topic twice, and librdkafka refuses an empty request.
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
        // A dead letter is the original record plus some headers, so its topic must accept larger records.
        return new.set("max.message.bytes", MAX_DEAD_LETTER_BYTES);
    }
    new
}

/// Says why topics could not be created.
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
        /// The cluster's answer.
        code: RDKafkaErrorCode,
    },
}
