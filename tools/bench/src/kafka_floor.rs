//! The floor of the indexer: librdkafka reads the topic, and the records are discarded.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Context;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::child;
use super::sample::Sample;
use super::setup::PARTITIONS;
use harness::usage::Usage;

/// The longest time without a record.
const PATIENCE: Duration = Duration::from_secs(30);

/// Consumes `events` records of `topic` with librdkafka's default settings, and prints the sample.
pub(super) fn run(brokers: &str, topic: &str, events: u64) -> anyhow::Result<()> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "bench-floor")
        .set("enable.auto.commit", "false")
        .create()?;
    let mut from_the_start = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        from_the_start.add_partition_offset(topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&from_the_start)?;
    take(&consumer)?;
    let begin = Instant::now();
    for _ in 1..events {
        take(&consumer)?;
    }
    let sample = Sample::new(events, begin.elapsed()).with_usage(Usage::of_this_process()?);
    child::say(&serde_json::to_string(&sample)?);
    // The answer is complete, and dropping the consumer would only take time.
    std::process::exit(0);
}

fn take(consumer: &BaseConsumer) -> anyhow::Result<()> {
    let message = consumer.poll(PATIENCE).context("no record comes from Kafka")??;
    black_box(message.payload());
    Ok(())
}
