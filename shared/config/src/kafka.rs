//! `kafka`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{KafkaSecurity, redact};

/// `kafka`: the cluster and the topics.
#[derive(Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kafka {
    /// `kafka.brokers`: `host:port`, several separated by commas.
    pub brokers: String,
    /// `kafka.topic`: the topic of the events: the default for each source, and the topic that the indexer consumes.
    pub topic: String,
    /// `kafka.dead_letter_topic`: the topic for records that can never be indexed; it must not be the topic of a
    /// source.
    pub dead_letter_topic: String,
    /// `kafka.quarantine_topic`: the topic for request bodies that are not events; see `docs/http.md`.
    pub quarantine_topic: String,
    /// `kafka.create_topics`: create missing topics at start; without it they must exist.
    pub create_topics: Option<CreateTopics>,
    /// `kafka.timeout`: time limit of a metadata or commit request.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// `kafka.security`: TLS and SASL; without it neither is used.
    pub security: Option<KafkaSecurity>,
    /// `kafka.options`: librdkafka settings, passed on unchanged to producers and consumers.
    #[serde(serialize_with = "redact::options")]
    pub options: BTreeMap<String, String>,
}

/// `kafka.create_topics`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CreateTopics {
    /// `kafka.create_topics.partitions`: partitions of each topic, at least 1.
    pub partitions: i32,
    /// `kafka.create_topics.replication_factor`: replicas of each partition, at least 1; 3 in production.
    pub replication_factor: i32,
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            brokers: "127.0.0.1:9092".to_owned(),
            topic: "cxone-events".to_owned(),
            dead_letter_topic: "cxone-events-dead-letters".to_owned(),
            quarantine_topic: "cxone-events-quarantine".to_owned(),
            create_topics: None,
            timeout: Duration::from_secs(10),
            security: None,
            options: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for Kafka {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::debug(self, f)
    }
}
