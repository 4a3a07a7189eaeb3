//! The group's client with its subscription to the topic.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka::position::{NextOffset, Partition};
use kafka::{Login, without_value};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::BorrowedMessage;
use rdkafka::topic_partition_list::{Offset as Position, TopicPartitionListElem};
use service::admin::Condition;

use super::group::{self, Group, Rebalance};
use super::interval::Interval;
use crate::config::Config;

/// How long librdkafka may take to rewind partitions.
const SEEK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a probe of the cluster may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// The wait before a deferred rebalance is tried again.
const DEFERRED_RETRY: Duration = Duration::from_secs(1);

/// A member's subscription to its topic. While everything is paused, no partition resumes, and new partitions are
/// paused.
pub(super) struct Subscription {
    client: Arc<BaseConsumer<Group>>,
    topic: String,
    /// How long a request to the group's coordinator may take.
    timeout: Duration,
    is_paused: bool,
    /// Whether the cluster lets this client read the topic.
    may_read: bool,
    /// When the next rebalance, which was deferred, is tried again.
    deferred: Option<Interval>,
}

impl Subscription {
    /// Joins the group of `config` and subscribes to its topic. `kafka` is met while the cluster is reachable.
    ///
    /// # Errors
    /// If librdkafka refuses the settings.
    pub(super) fn new(config: &Config, kafka: Condition) -> KafkaResult<Self> {
        let group = Group::new(kafka, Login::new(&config.kafka)?);
        let client: BaseConsumer<Group> =
            group::client_config(config)?.create_with_context(group).map_err(without_value)?;
        client.subscribe(&[&config.kafka.topic])?;
        let (topic, timeout) = (config.kafka.topic.clone(), config.kafka.timeout);
        Ok(Self { client: Arc::new(client), topic, timeout, is_paused: false, may_read: true, deferred: None })
    }

    /// Returns the name of the topic.
    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    /// Returns the client, for queries.
    pub(super) fn client(&self) -> &Arc<BaseConsumer<Group>> {
        &self.client
    }

    /// Returns the next record if there is one within `wait`. Also handles the client's events.
    pub(super) fn poll(&self, wait: Duration) -> Option<KafkaResult<BorrowedMessage<'_>>> {
        self.client.poll(wait)
    }

    /// Returns the next rebalance to handle at `now`.
    pub(super) fn next_rebalance(&mut self, now: Instant) -> Option<Rebalance> {
        if self.deferred.as_mut().is_some_and(|deferred| !deferred.begin(now)) {
            return None;
        }
        self.deferred = None;
        self.client.context().next_rebalance()
    }

    /// Keeps `rebalance`, which could not be handled at `now`, before all others, and returns it again after a while.
    pub(super) fn defer(&mut self, rebalance: Rebalance, now: Instant) {
        self.deferred = Some(Interval::after(now, DEFERRED_RETRY));
        self.client.context().defer(rebalance);
    }

    /// Returns the committed offsets of `partitions`.
    ///
    /// # Errors
    /// If the offset of one of them is not answered in time.
    pub(super) fn committed(&self, partitions: &[Partition]) -> KafkaResult<TopicPartitionList> {
        let committed = self.client.committed_offsets(self.list(partitions), self.timeout)?;
        committed.elements().iter().try_for_each(TopicPartitionListElem::error)?;
        Ok(committed)
    }

    /// Returns `partitions` as a list for the client.
    pub(super) fn list(&self, partitions: &[Partition]) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.topic, partition.0);
        }
        list
    }

    /// Takes over the partitions of `begins`, at the offsets in it.
    pub(super) fn assign(&self, begins: &TopicPartitionList) -> KafkaResult<()> {
        self.client.context().admit();
        group::assign(&self.client, begins)
    }

    /// Notes an `error` of the client. If the group refuses this member, readiness says why until it is admitted.
    pub(super) fn note_error(&self, error: &KafkaError) {
        self.client.context().note_error(error);
    }

    /// Returns whether the group has already reassigned the revoked partitions.
    pub(super) fn has_lost(&self) -> bool {
        self.client.assignment_lost()
    }

    /// Releases the partitions of `list` and ends their pauses. librdkafka would keep a pause beyond the revocation,
    /// and this member may get the partitions again.
    pub(super) fn release(&self, list: &TopicPartitionList) -> KafkaResult<()> {
        if let Err(error) = self.client.resume(list) {
            tracing::warn!(topic = self.topic, %error, "Cannot resume the revoked partitions.");
        }
        group::unassign(&self.client, list)
    }

    /// Gives up `partition`, which stays in the group's assignment, and takes it over again at `from`.
    pub(super) fn take_up_again(&self, partition: Partition, from: Position) -> KafkaResult<()> {
        let mut list = self.list(&[partition]);
        list.set_all_offsets(from)?;
        if let Err(error) = self.release(&list) {
            tracing::warn!(topic = self.topic, %error, "Cannot give up a partition that stands still.");
        }
        group::assign(&self.client, &list)
    }

    /// Returns whether everything is paused.
    pub(super) fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// Returns whether the client may deliver records: not everything is paused, and the cluster lets it read.
    pub(super) fn may_deliver(&self) -> bool {
        !self.is_paused && self.may_read
    }

    /// Stops fetching `partitions`.
    pub(super) fn pause(&self, partitions: &[Partition]) -> KafkaResult<()> {
        self.client.pause(&self.list(partitions))
    }

    /// Fetches `partitions` again, unless everything is paused.
    pub(super) fn resume(&self, partitions: &[Partition]) -> KafkaResult<()> {
        if self.is_paused { Ok(()) } else { self.client.resume(&self.list(partitions)) }
    }

    /// Pauses everything: the `assigned` partitions.
    pub(super) fn pause_all(&mut self, assigned: &[Partition]) -> KafkaResult<()> {
        self.pause(assigned)?;
        self.is_paused = true;
        Ok(())
    }

    /// Resumes the `free` partitions; the others are paused for reasons of their own.
    pub(super) fn resume_all(&mut self, free: &[Partition]) -> KafkaResult<()> {
        self.client.resume(&self.list(free))?;
        self.is_paused = false;
        Ok(())
    }

    /// Returns the client's positions.
    pub(super) fn positions(&self) -> BTreeMap<Partition, NextOffset> {
        let Ok(list) = self.client.position() else {
            return BTreeMap::new();
        };
        let known = list.elements().into_iter().filter_map(|element| match element.offset() {
            Position::Offset(offset) => Some((Partition(element.partition()), NextOffset(offset))),
            Position::Beginning | Position::End | Position::Stored | Position::Invalid | Position::OffsetTail(_) => {
                None
            }
        });
        known.collect()
    }

    /// Tells the client to read `partitions` from their beginning. Returns those for which that succeeded.
    pub(super) fn rewind(&self, partitions: &[Partition]) -> KafkaResult<Vec<Partition>> {
        let mut beginning = self.list(partitions);
        beginning.set_all_offsets(Position::Beginning)?;
        let sought = self.client.seek_partitions(beginning, SEEK_TIMEOUT)?;
        let found = sought.elements().into_iter().filter(|element| element.error().is_ok());
        Ok(found.map(|element| Partition(element.partition())).collect())
    }

    /// Notes whether the cluster lets this client read the topic. Returns whether that has changed.
    pub(super) fn set_may_read(&mut self, may_read: bool) -> bool {
        std::mem::replace(&mut self.may_read, may_read) != may_read
    }

    /// Returns whether a broker answers for the topic, and lets this client read it as a member of its group.
    pub(super) fn answers(&self) -> bool {
        let is_allowed = self.may_read && self.is_admitted();
        is_allowed && self.client.fetch_metadata(Some(&self.topic), PROBE_TIMEOUT).is_ok()
    }

    /// Returns whether the group's coordinator answers. Then it does not refuse this member.
    pub(super) fn coordinator_answers(&self) -> bool {
        let answers = self.client.committed_offsets(self.list(&[Partition(0)]), PROBE_TIMEOUT).is_ok();
        if answers {
            self.client.context().admit();
        }
        answers
    }

    /// Returns whether the group admits this member. One that was refused and has lost its partitions must join again.
    fn is_admitted(&self) -> bool {
        let has_partitions = || self.client.assignment().is_ok_and(|list| list.count() > 0);
        !self.client.context().is_refused() || (has_partitions() && self.coordinator_answers())
    }

    /// Returns whether another holder of the client exists.
    pub(super) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.client) > 1
    }

    /// Closes the client, after the drain.
    pub(super) fn close(&self) {
        group::close(&self.client);
    }
}

/// Returns the partitions of `list`.
pub(super) fn partitions_of(list: &TopicPartitionList) -> Vec<Partition> {
    list.elements().into_iter().map(|element| Partition(element.partition())).collect()
}

#[cfg(test)]
mod tests;
