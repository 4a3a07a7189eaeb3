//! Kafka for the tests: topics, all records of a topic, and commits of a group.
//!
//! librdkafka's consumer and metadata calls block, so each function here runs on a thread for blocking work.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::eventually::eventually;
pub use log::OpenTransaction;

mod log;
mod read;

/// The time limit for one answer of the cluster, since the test machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The most records that wait for the reader's caller.
const RECORDS: usize = 1_024;

/// A client of one cluster.
#[derive(Clone, Debug)]
pub struct Kafka {
    brokers: String,
}

/// A record with all its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// Milliseconds since the Unix epoch.
    pub timestamp: Option<i64>,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Option<Vec<u8>>,
    /// The headers, in their order.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// A record to write unchanged.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    /// The partition.
    pub partition: i32,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Option<Vec<u8>>,
    /// The timestamp, in milliseconds since the Unix epoch; `None` means now.
    pub timestamp: Option<i64>,
}

impl Record {
    /// Returns the value of the header `name` as text, or `None` unless there is exactly one such header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| key == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => std::str::from_utf8(value).ok(),
            _ => None,
        }
    }
}

impl Kafka {
    /// Creates a client of the cluster at `brokers`. Does not connect yet.
    pub fn new(brokers: impl Into<String>) -> Self {
        Self { brokers: brokers.into() }
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers).set("client.id", "penstock-tests");
        config
    }

    /// Creates the topic `name`.
    ///
    /// # Errors
    /// If the cluster fails to. The same holds for each function here.
    pub async fn create_topic(&self, name: &str, partitions: i32) -> anyhow::Result<()> {
        self.create_topic_with(name, partitions, &[]).await
    }

    /// Creates the topic `name` with its own settings, such as `max.message.bytes`.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`].
    pub async fn create_topic_with(
        &self,
        name: &str,
        partitions: i32,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.config().create()?;
        let options = AdminOptions::new().operation_timeout(Some(TIMEOUT)).request_timeout(Some(TIMEOUT));
        // The cluster's default determines the replicas: one, or one on each of three brokers.
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(-1));
        for (key, value) in settings {
            topic = topic.set(key, value);
        }
        for result in admin.create_topics(&[topic], &options).await? {
            result.map_err(|(topic, code)| anyhow::anyhow!("topic {topic} was not created: {code}"))?;
        }
        Ok(())
    }

    /// Replaces all settings of the topic `name`.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`].
    pub async fn alter_topic(&self, name: &str, settings: &[(&str, &str)]) -> anyhow::Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.config().create()?;
        let mut altered = AlterConfig::new(ResourceSpecifier::Topic(name));
        for (key, value) in settings {
            altered = altered.set(key, value);
        }
        for result in admin.alter_configs(&[altered], &AdminOptions::new().request_timeout(Some(TIMEOUT))).await? {
            result.map_err(|(topic, code)| anyhow::anyhow!("{topic:?} was not altered: {code}"))?;
        }
        Ok(())
    }

    /// Deletes the topic `name`.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`].
    pub async fn delete_topic(&self, name: &str) -> anyhow::Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.config().create()?;
        for result in admin.delete_topics(&[name], &AdminOptions::new().operation_timeout(Some(TIMEOUT))).await? {
            result.map_err(|(topic, code)| anyhow::anyhow!("topic {topic} was not deleted: {code}"))?;
        }
        Ok(())
    }

    /// Writes records unchanged. Returns the offset of each once all are acknowledged.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`].
    pub async fn produce(&self, topic: &str, records: &[Raw]) -> anyhow::Result<Vec<i64>> {
        let producer: FutureProducer = self.config().set("acks", "all").create()?;
        let mut deliveries = Vec::new();
        for raw in records {
            let mut record: FutureRecord<'_, [u8], [u8]> = FutureRecord::to(topic).partition(raw.partition);
            record.key = raw.key.as_deref();
            record.payload = raw.value.as_deref();
            record.timestamp = raw.timestamp;
            deliveries.push(producer.send_result(record).map_err(|(error, _)| error)?);
        }
        let mut offsets = Vec::new();
        for delivery in deliveries {
            offsets.push(delivery.await?.map_err(|(error, _)| error)?.offset);
        }
        Ok(offsets)
    }

    /// Returns the offset after the last record of each partition of `topic`.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`].
    pub async fn end_offsets(&self, topic: &str) -> anyhow::Result<BTreeMap<i32, i64>> {
        let (config, topic) = (self.config(), topic.to_owned());
        tokio::task::spawn_blocking(move || end_offsets(&config.create()?, &topic)).await?
    }

    /// Returns the number of records in `topic`, provided that none was deleted and no transaction ended in it.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`].
    pub async fn count(&self, topic: &str) -> anyhow::Result<u64> {
        let sum: i64 = self.end_offsets(topic).await?.values().sum();
        Ok(u64::try_from(sum)?)
    }

    /// Returns all records of `topic`, by partition and offset.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`].
    pub async fn read_all(&self, topic: &str) -> anyhow::Result<Vec<Record>> {
        let mut records = Vec::new();
        self.read_each(topic, |record| records.push(record)).await?;
        records.sort_by_key(|record| (record.partition, record.offset));
        Ok(records)
    }

    /// Passes each record of `topic` to `take`, by offset within each partition.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`].
    pub async fn read_each(&self, topic: &str, mut take: impl FnMut(Record)) -> anyhow::Result<()> {
        let (mut config, topic) = (self.config(), topic.to_owned());
        config.set("group.id", "penstock-tests").set("enable.auto.commit", "false").set("enable.partition.eof", "true");
        let (sender, mut receiver) = tokio::sync::mpsc::channel(RECORDS);
        let reads = tokio::task::spawn_blocking(move || read::read_all(&config.create()?, &topic, &sender));
        while let Some(record) = receiver.recv().await {
            take(record);
        }
        reads.await?
    }

    /// Returns the committed offset of `group` for each partition of `topic`, or `None` if it has not committed
    /// anything.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`].
    pub async fn committed(&self, group: &str, topic: &str) -> anyhow::Result<BTreeMap<i32, Option<i64>>> {
        // A coordinator that has just moved refuses requests for a moment.
        eventually("Kafka says what was committed", || async {
            let (mut config, topic) = (self.config(), topic.to_owned());
            config.set("group.id", group);
            tokio::task::spawn_blocking(move || committed(&config.create()?, &topic)).await?
        })
        .await
    }

    /// Resets `group`, which has no members, to the first record of each partition of `topic`.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`]; also if the group has members.
    pub async fn rewind(&self, group: &str, topic: &str) -> anyhow::Result<()> {
        let (mut config, topic) = (self.config(), topic.to_owned());
        config.set("group.id", group);
        tokio::task::spawn_blocking(move || rewind(&config.create()?, &topic)).await?
    }
}

fn rewind(consumer: &BaseConsumer, topic: &str) -> anyhow::Result<()> {
    let mut offsets = TopicPartitionList::new();
    for partition in partitions(consumer, topic)? {
        offsets.add_partition_offset(topic, partition, Offset::Offset(0))?;
    }
    Ok(consumer.commit(&offsets, CommitMode::Sync)?)
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> anyhow::Result<Vec<i32>> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let topic = metadata.topics().first().with_context(|| format!("topic {topic} is unknown"))?;
    if let Some(error) = topic.error() {
        anyhow::bail!("topic {}: {error:?}", topic.name());
    }
    Ok(topic.partitions().iter().map(rdkafka::metadata::MetadataPartition::id).collect())
}

fn end_offsets(consumer: &BaseConsumer, topic: &str) -> anyhow::Result<BTreeMap<i32, i64>> {
    let mut ends = BTreeMap::new();
    for partition in partitions(consumer, topic)? {
        let (_, end) = consumer.fetch_watermarks(topic, partition, TIMEOUT)?;
        ends.insert(partition, end);
    }
    Ok(ends)
}

fn committed(consumer: &BaseConsumer, topic: &str) -> anyhow::Result<BTreeMap<i32, Option<i64>>> {
    let mut asked = TopicPartitionList::new();
    for partition in partitions(consumer, topic)? {
        asked.add_partition(topic, partition);
    }
    let answer = consumer.committed_offsets(asked, TIMEOUT)?;
    Ok(answer
        .elements()
        .iter()
        .map(|element| (element.partition(), element.offset().to_raw().filter(|raw| *raw >= 0)))
        .collect())
}
