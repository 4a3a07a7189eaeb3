//! Queries the log for each survey: whether it is still the same topic, where it begins, and where it ends. Every
//! query has a time-out.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka::position::{NextOffset, Partition};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::Offset as Position;
use topic_id::{TopicId, TopicIdError};

use super::group::Group;
use crate::message::report::{Ends, Report, Survey};

/// How long each query may take.
pub(super) const SURVEY_TIMEOUT: Duration = Duration::from_secs(2);

/// Queries the id of `topic`, whether this client may read it, and the start and end of `partitions`. Omits what is not
/// answered in time.
pub(super) fn survey(consumer: &BaseConsumer<Group>, topic: &str, partitions: &[Partition]) -> Report {
    let (topic_id, may_read) = match topic_id::id_and_allowed(consumer, topic, SURVEY_TIMEOUT) {
        Ok((id, allowed)) => (id, allowed.map(|allowed| allowed.read)),
        Err(TopicIdError::Refused(RDKafkaErrorCode::TopicAuthorizationFailed)) => (None, Some(false)),
        Err(error) => {
            tracing::debug!(topic, %error, "Cannot read the topic's metadata; the next survey tries again.");
            (None, None)
        }
    };
    let starts = ask_offsets(consumer, topic, partitions, Position::Beginning);
    let mut ends = ask_offsets(consumer, topic, partitions, Position::End);
    let both = starts.into_iter().filter_map(|(partition, start)| {
        let end = ends.remove(&partition)?;
        Some(Ends { partition, start, end })
    });
    Report::Survey(Survey { topic_id, may_read, ends: both.collect() })
}

/// Queries the id of `topic`. Returns `None` if the cluster does not answer it.
pub(super) fn ask_topic_id(consumer: &BaseConsumer<Group>, topic: &str) -> Option<TopicId> {
    topic_id::topic_id(consumer, topic, SURVEY_TIMEOUT)
        .inspect_err(|error| tracing::debug!(topic, %error, "Cannot read the topic's id; the next survey tries again."))
        .ok()?
}

/// Queries the offset of `position` in each of `partitions`. Returns those that answer in time.
pub(crate) fn ask_offsets<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partitions: &[Partition],
    position: Position,
) -> BTreeMap<Partition, NextOffset> {
    let mut asked = TopicPartitionList::new();
    for partition in partitions {
        asked.add_partition(topic, partition.0);
    }
    // In the request, a logical offset takes the place of a timestamp (ListOffsets in Kafka's protocol).
    let answer = asked.set_all_offsets(position).and_then(|()| consumer.offsets_for_times(asked, SURVEY_TIMEOUT));
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            tracing::debug!(topic, %error, "Cannot read the ends of the partitions; the next survey tries again.");
            return BTreeMap::new();
        }
    };
    let known = answer.elements().into_iter().filter(|element| element.error().is_ok());
    let offsets = known.filter_map(|element| match element.offset() {
        Position::Offset(offset) => Some((Partition(element.partition()), NextOffset(offset))),
        Position::Beginning | Position::End | Position::Stored | Position::Invalid | Position::OffsetTail(_) => None,
    });
    offsets.collect()
}
