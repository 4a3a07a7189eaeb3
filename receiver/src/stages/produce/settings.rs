//! The settings of the producer: ours where `kafka.options` has no others.

use std::time::Duration;

use config::Kafka;
use kafka::producer_config;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;

use super::{CLIENT_ID, queue_budget};

/// librdkafka settings that `kafka.options` may override.
const DEFAULTS: [(&str, &str); 6] = [
    // How long a record waits for others to share its request: each millisecond is one more for the sender. Under load
    // batches form without it, while Kafka acknowledges the one before. Less than 1 saves no time and costs CPU: with
    // five records of a partition on their way, an idempotent producer of librdkafka 2.12 holds back the others, and
    // polls without a pause as soon as their linger is over.
    ("linger.ms", "1"),
    // What waits for Kafka at a time (P6). A full queue is answered 503.
    (queue_budget::KIB, "65536"),
    (queue_budget::RECORDS, "100000"),
    // As Kafka's own clients do it: all records of a key are in one partition, whichever client wrote them.
    ("partitioner", "murmur2_random"),
    // After an outage, events are refused until the connection is back: look often.
    ("reconnect.backoff.max.ms", "1000"),
    ("retry.backoff.max.ms", "500"),
];

const LARGEST: &str = "message.max.bytes";
/// The least that a record's limit is above the longest body: frame, key, headers and the batch's own head.
const RECORD_OVERHEAD: usize = 64 * 1024;

/// librdkafka's own default of the bytes of a batch, and of a record.
const BATCH_BYTES: usize = 1_000_000;
/// The bytes of a batch.
pub(super) const BATCH_SIZE: &str = "batch.size";

/// Returns the settings for events of at most `max_event` bytes.
///
/// # Errors
/// When a file of `kafka.security` cannot be read.
pub(super) fn of(kafka: &Kafka, max_event: usize, delivery_timeout: Duration) -> Result<ClientConfig, KafkaError> {
    let mut config = producer_config(kafka, CLIENT_ID, delivery_timeout)?;
    for (key, value) in DEFAULTS {
        if !kafka.options.contains_key(key) {
            config.set(key, value);
        }
    }
    if !kafka.options.contains_key(LARGEST) {
        // librdkafka takes 1000 to 1,000,000,000.
        let largest = max_event.saturating_add(RECORD_OVERHEAD).clamp(1_000_000, 1_000_000_000);
        config.set(LARGEST, largest.to_string());
    }
    config.set_log_level(RDKafkaLogLevel::Info);
    Ok(config)
}

/// Returns the bytes of a batch, at most: as far as no topic takes less.
pub(super) fn batch_bytes(config: &ClientConfig) -> usize {
    bytes(config, BATCH_SIZE)
}

/// Returns the bytes of one record's key and value, at most.
pub(super) fn largest_record(config: &ClientConfig) -> usize {
    bytes(config, LARGEST)
}

fn bytes(config: &ClientConfig, key: &str) -> usize {
    config.get(key).and_then(|bytes| bytes.trim().parse().ok()).unwrap_or(BATCH_BYTES)
}

/// Returns whether batches are compressed.
pub(super) fn is_compressed(config: &ClientConfig) -> bool {
    let codecs = ["compression.type", "compression.codec"];
    codecs.iter().any(|key| config.get(key).is_some_and(|codec| codec.trim() != "none"))
}
