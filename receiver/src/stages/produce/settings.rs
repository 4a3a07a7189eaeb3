//! The settings of the producer: the defaults, unless `kafka.options` overrides them.

use std::time::Duration;

use config::Kafka;
use kafka::producer_config;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;

use super::{CLIENT_ID, queue_budget};

/// librdkafka settings that `kafka.options` may override.
const DEFAULTS: [(&str, &str); 6] = [
    // How long a record waits for others to share its request. Each millisecond would delay the sender by one. Under
    // load, batches form without it, while Kafka acknowledges the previous ones: with five records of a partition in
    // flight, an idempotent producer of librdkafka 2.12 holds back the others (confluentinc/librdkafka#4989). Its thread
    // does not spin meanwhile: with answers after 10 ms and 512 connections it takes 2 % of a core.
    ("linger.ms", "0"),
    // The limit of what waits for Kafka (P6). A full queue is answered with 503.
    (queue_budget::KIB, "65536"),
    (queue_budget::RECORDS, "100000"),
    // The same as in Kafka's own clients: all records with the same key go to one partition, whichever client wrote
    // them.
    ("partitioner", "murmur2_random"),
    // After an outage, events are refused until the connection is back, so it is checked often.
    ("reconnect.backoff.max.ms", "1000"),
    ("retry.backoff.max.ms", "500"),
];

const LARGEST: &str = "message.max.bytes";
/// The least difference between the record limit and the longest body: frame, key, headers and the head of the batch.
const RECORD_OVERHEAD: usize = 64 * 1024;

/// librdkafka's default limit for the bytes of a batch and of a record.
const BATCH_BYTES: usize = 1_000_000;
/// The limit for the bytes of a batch.
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
        // librdkafka accepts 1000 to 1,000,000,000.
        let largest = max_event.saturating_add(RECORD_OVERHEAD).clamp(1_000_000, 1_000_000_000);
        config.set(LARGEST, largest.to_string());
    }
    config.set_log_level(RDKafkaLogLevel::Info);
    Ok(config)
}

/// Returns the most bytes of a batch, if no topic accepts less.
pub(super) fn batch_bytes(config: &ClientConfig) -> usize {
    bytes(config, BATCH_SIZE)
}

/// Returns the most bytes of one record's key and value.
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
