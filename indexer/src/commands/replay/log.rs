//! Queries Kafka for a replay: where partitions begin and end, what the group has committed, and who its members are.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use kafka::position::{NextOffset, Partition};
use kafka::{Login, without_value};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::Offset as Position;
use topic_id::TopicId;

use super::CommandError;
use super::checkpoint::{Checkpoint, Committed};
use crate::commands::times::When;
use crate::commit::{commit, list_of};
use crate::config::Config;
use crate::consume::{identity, survey};

/// A topic and a consumer group, seen from outside the group. Its calls wait for Kafka.
pub(super) struct Log {
    consumer: BaseConsumer<Login>,
    topic: String,
    group: String,
    timeout: Duration,
}

impl Log {
    /// Creates a client for the topic and the group of `config`, without joining the group.
    pub(super) fn new(config: &Config) -> KafkaResult<Self> {
        let mut client = kafka::client_config(&config.kafka, "penstock-indexer-replay")?;
        client.set("group.id", &config.indexer.group_id).set("enable.auto.commit", "false");
        let consumer = client.create_with_context(Login::new(&config.kafka)?).map_err(without_value)?;
        let (topic, group) = (config.kafka.topic.clone(), config.indexer.group_id.clone());
        Ok(Self { consumer, topic, group, timeout: config.kafka.timeout })
    }

    /// Returns the partitions of the topic.
    pub(super) fn partitions(&self) -> Result<Vec<Partition>, CommandError> {
        let metadata = self.consumer.fetch_metadata(Some(&self.topic), self.timeout)?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == self.topic && topic.error().is_none());
        let partitions =
            topic.map(|topic| topic.partitions().iter().map(|partition| Partition(partition.id())).collect());
        partitions.ok_or_else(|| CommandError::NoTopic(self.topic.clone()))
    }

    /// Returns the topic's id, if the cluster has ids.
    pub(super) fn topic_id(&self) -> Option<TopicId> {
        topic_id::topic_id(&self.consumer, &self.topic, self.timeout).ok().flatten()
    }

    /// Returns the offset of `when` in each of `partitions`, limited to the range of the log.
    pub(super) fn offsets(
        &self,
        when: &When,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, i64>, CommandError> {
        let log = self.ends(partitions)?;
        let found = match when {
            When::Earliest => log.iter().map(|(partition, range)| (*partition, range.start)).collect(),
            When::Now => log.iter().map(|(partition, range)| (*partition, range.end)).collect(),
            When::Offsets(offsets) => offsets.clone(),
            When::Time(millis) => self.at(*millis, partitions)?,
        };
        // For a time after the last record, this is the end.
        let within = |(partition, range): (&Partition, &Range<i64>)| {
            let offset = found.get(partition).copied().unwrap_or(range.end);
            (*partition, offset.clamp(range.start, range.end))
        };
        Ok(log.iter().map(within).collect())
    }

    /// Returns the start and end of each of `partitions`.
    fn ends(&self, partitions: &[Partition]) -> Result<BTreeMap<Partition, Range<i64>>, CommandError> {
        let ask = |position| survey::ask_offsets(&self.consumer, &self.topic, partitions, position);
        let (starts, ends) = (ask(Position::Beginning), ask(Position::End));
        let range = |partition: &Partition| Some((*partition, starts.get(partition)?.0..ends.get(partition)?.0));
        let ranges: BTreeMap<_, _> = partitions.iter().filter_map(range).collect();
        match ranges.len() == partitions.len() {
            true => Ok(ranges),
            false => Err(CommandError::NoEnds(self.topic.clone())),
        }
    }

    fn at(&self, millis: i64, partitions: &[Partition]) -> Result<BTreeMap<Partition, i64>, CommandError> {
        let mut asked = self.list(partitions);
        asked.set_all_offsets(Position::Offset(millis))?;
        let answer = self.consumer.offsets_for_times(asked, self.timeout)?;
        let known = answer.elements().into_iter().filter_map(|element| match element.offset() {
            Position::Offset(offset) => Some((Partition(element.partition()), offset)),
            _ => None,
        });
        Ok(known.collect())
    }

    /// Returns the group's committed offsets.
    pub(super) fn committed(&self, partitions: &[Partition]) -> Result<BTreeMap<Partition, Committed>, CommandError> {
        let answer = self.consumer.committed_offsets(self.list(partitions), self.timeout)?;
        let known = answer.elements().into_iter().filter_map(|element| match element.offset() {
            Position::Offset(offset) => {
                let committed = Committed::new(NextOffset(offset), element.metadata());
                Some((Partition(element.partition()), committed))
            }
            _ => None,
        });
        Ok(known.collect())
    }

    /// Commits the start of each range of `checkpoint`. Kafka refuses this while the group has members.
    pub(super) fn begin(&self, checkpoint: &Checkpoint) -> Result<(), CommandError> {
        let begins = checkpoint.ranges.iter().map(|(partition, range)| (*partition, NextOffset(range.start)));
        self.note(checkpoint, begins.collect())
    }

    /// Commits `offsets` with the notes of `checkpoint`. Kafka refuses this while the group has members.
    pub(super) fn note(
        &self,
        checkpoint: &Checkpoint,
        offsets: Vec<(Partition, NextOffset)>,
    ) -> Result<(), CommandError> {
        let notes = checkpoint.notes();
        let id = checkpoint.topic.map(identity::metadata_of);
        let note = |partition, _| identity::joined([id.clone(), None, notes.get(&partition).cloned()]);
        Ok(commit(&self.consumer, &list_of(&self.topic, &offsets, note)?)?)
    }

    /// Returns the members of the group, each with its client and host.
    pub(super) fn members(&self) -> Result<Vec<String>, CommandError> {
        let groups = self.consumer.fetch_group_list(Some(&self.group), self.timeout)?;
        let members = groups.groups().iter().flat_map(|group| group.members());
        Ok(members.map(|member| format!("{} at {}", member.client_id(), member.client_host())).collect())
    }

    fn list(&self, partitions: &[Partition]) -> TopicPartitionList {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            list.add_partition(&self.topic, partition.0);
        }
        list
    }
}
