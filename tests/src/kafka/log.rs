//! Other changes to a topic's log: transactions, retention, foreign commits.

use std::collections::BTreeMap;

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

use super::{Kafka, Raw, TIMEOUT, partitions};

/// A transaction that is open.
pub struct OpenTransaction(BaseProducer);

impl OpenTransaction {
    /// Commits the transaction, or aborts it.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`].
    pub async fn end(self, commit: bool) -> anyhow::Result<()> {
        let ended = tokio::task::spawn_blocking(move || match commit {
            true => self.0.commit_transaction(TIMEOUT),
            false => self.0.abort_transaction(TIMEOUT),
        });
        Ok(ended.await??)
    }
}

impl Kafka {
    /// Writes records unchanged in one transaction, and commits or aborts it.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`].
    pub async fn transaction(&self, topic: &str, records: &[Raw], commit: bool) -> anyhow::Result<()> {
        self.open_transaction(topic, records).await?.end(commit).await
    }

    /// Writes records unchanged in a transaction that stays open.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`].
    pub async fn open_transaction(&self, topic: &str, records: &[Raw]) -> anyhow::Result<OpenTransaction> {
        let id = format!("penstock-tests-{}", uuid::Uuid::new_v4().simple());
        let mut config = self.config();
        // Kafka aborts the transaction after this time, which is longer than any test.
        config.set("transactional.id", id).set("transaction.timeout.ms", "600000");
        let producer: BaseProducer = config.create()?;
        let (topic, records) = (topic.to_owned(), records.to_vec());
        tokio::task::spawn_blocking(move || {
            producer.init_transactions(TIMEOUT)?;
            producer.begin_transaction()?;
            for raw in &records {
                let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&topic).partition(raw.partition);
                record.key = raw.key.as_deref();
                record.payload = raw.value.as_deref();
                producer.send(record).map_err(|(error, _)| error)?;
            }
            producer.flush(TIMEOUT)?;
            Ok(OpenTransaction(producer))
        })
        .await?
    }

    /// Deletes `group`, which has no members, and with it its committed offsets, as Kafka does after
    /// `offsets.retention.minutes`.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`].
    pub async fn delete_group(&self, group: &str) -> anyhow::Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.config().create()?;
        for result in admin.delete_groups(&[group], &AdminOptions::new().request_timeout(Some(TIMEOUT))).await? {
            result.map_err(|(group, code)| anyhow::anyhow!("group {group} was not deleted: {code}"))?;
        }
        Ok(())
    }

    /// Returns the id of the broker that leads a partition of `topic`.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`]; also if there is no leader.
    pub async fn leader(&self, topic: &str, partition: usize) -> anyhow::Result<u8> {
        let (config, topic) = (self.config(), topic.to_owned());
        tokio::task::spawn_blocking(move || {
            let consumer: BaseConsumer = config.create()?;
            let metadata = consumer.fetch_metadata(Some(&topic), TIMEOUT)?;
            let partitions = metadata.topics().first().map(MetadataTopic::partitions).unwrap_or_default();
            let leader = partitions.get(partition).map_or(-1, MetadataPartition::leader);
            Ok(u8::try_from(leader)?)
        })
        .await?
    }

    /// Adds partitions to `topic` up to `count`.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`]; also if it already has that many.
    pub async fn add_partitions(&self, topic: &str, count: usize) -> anyhow::Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.config().create()?;
        let options = AdminOptions::new().operation_timeout(Some(TIMEOUT)).request_timeout(Some(TIMEOUT));
        for result in admin.create_partitions(&[NewPartitions::new(topic, count)], &options).await? {
            result.map_err(|(topic, code)| anyhow::anyhow!("topic {topic} got no partition: {code}"))?;
        }
        Ok(())
    }

    /// Deletes all records of `topic`, as retention would.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`].
    pub async fn delete_records(&self, topic: &str) -> anyhow::Result<()> {
        self.delete_records_before(topic, &self.end_offsets(topic).await?).await
    }

    /// Deletes the records of `topic` before these offsets, by partition.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`].
    pub async fn delete_records_before(&self, topic: &str, offsets: &BTreeMap<i32, i64>) -> anyhow::Result<()> {
        let mut ends = TopicPartitionList::new();
        for (partition, end) in offsets {
            ends.add_partition_offset(topic, *partition, Offset::Offset(*end))?;
        }
        let admin: AdminClient<DefaultClientContext> = self.config().create()?;
        let options = AdminOptions::new().operation_timeout(Some(TIMEOUT)).request_timeout(Some(TIMEOUT));
        for element in admin.delete_records(&ends, &options).await?.elements() {
            element.error()?;
        }
        Ok(())
    }

    /// Returns the commits of `group` for `topic`: offset and metadata of each partition.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`]; also if a partition has no commit.
    pub async fn commits(&self, group: &str, topic: &str) -> anyhow::Result<BTreeMap<i32, (i64, String)>> {
        let (mut config, topic) = (self.config(), topic.to_owned());
        config.set("group.id", group);
        tokio::task::spawn_blocking(move || {
            let consumer: BaseConsumer = config.create()?;
            let mut asked = TopicPartitionList::new();
            for partition in partitions(&consumer, &topic)? {
                asked.add_partition(&topic, partition);
            }
            let mut commits = BTreeMap::new();
            for element in consumer.committed_offsets(asked, TIMEOUT)?.elements() {
                let Offset::Offset(offset) = element.offset() else { anyhow::bail!("nothing is committed") };
                commits.insert(element.partition(), (offset, element.metadata().to_owned()));
            }
            Ok(commits)
        })
        .await?
    }

    /// Commits these offsets and metadata of `topic` for `group`, which has no members.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`]; also if the group has members.
    pub async fn commit_each(
        &self,
        group: &str,
        topic: &str,
        commits: BTreeMap<i32, (i64, String)>,
    ) -> anyhow::Result<()> {
        let (mut config, topic) = (self.config(), topic.to_owned());
        config.set("group.id", group);
        tokio::task::spawn_blocking(move || {
            let consumer: BaseConsumer = config.create()?;
            let mut offsets = TopicPartitionList::new();
            for (partition, (offset, metadata)) in commits {
                let mut element = offsets.add_partition(&topic, partition);
                element.set_offset(Offset::Offset(offset))?;
                element.set_metadata(&metadata);
            }
            Ok(consumer.commit(&offsets, CommitMode::Sync)?)
        })
        .await?
    }

    /// Commits `offset` for each partition of `topic`, with `metadata`, for `group`, which has no members.
    ///
    /// # Errors
    /// As for [`Kafka::create_topic`]; also if the group has members.
    pub async fn commit(&self, group: &str, topic: &str, offset: i64, metadata: &str) -> anyhow::Result<()> {
        let (mut config, topic, metadata) = (self.config(), topic.to_owned(), metadata.to_owned());
        config.set("group.id", group);
        tokio::task::spawn_blocking(move || {
            let consumer: BaseConsumer = config.create()?;
            let mut offsets = TopicPartitionList::new();
            for partition in partitions(&consumer, &topic)? {
                let mut element = offsets.add_partition(&topic, partition);
                element.set_offset(Offset::Offset(offset))?;
                element.set_metadata(&metadata);
            }
            Ok(consumer.commit(&offsets, CommitMode::Sync)?)
        })
        .await?
    }
}
