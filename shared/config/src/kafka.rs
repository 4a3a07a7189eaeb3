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
    /// `kafka.topic`: the topic of the events. The default of each source, and what the indexer consumes.
    pub topic: String,
    /// `kafka.dead_letter_topic`: where the indexer writes records that can never be indexed.
    pub dead_letter_topic: String,
    /// `kafka.quarantine_topic`: where the receiver writes bodies that are no events. The default of each source.
    pub quarantine_topic: String,
    /// `kafka.create_topics`: create missing topics at start, with this many partitions and replicas. Absent: topics must exist.
    pub create_topics: Option<CreateTopics>,
    /// `kafka.timeout`: how long a metadata or commit request may take.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// `kafka.security`: TLS and SASL. Absent: neither.
    pub security: Option<KafkaSecurity>,
    /// `kafka.options`: passed to librdkafka as they are, for producers and consumers alike.
    /// They win over what Penstock sets, save for what the promises need (`acks`, `enable.idempotence`, `enable.auto.commit`, …).
    /// Only values that are surely no secret are ever shown: those of a list of librdkafka's settings.
    #[serde(serialize_with = "redact::options")]
    pub options: BTreeMap<String, String>,
}

/// `kafka.create_topics`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CreateTopics {
    /// `kafka.create_topics.partitions`: partitions of each topic.
    pub partitions: i32,
    /// `kafka.create_topics.replication_factor`: replicas of each partition.
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
