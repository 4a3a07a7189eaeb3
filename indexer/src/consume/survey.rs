//! Queries the log for each survey: whether it is still the same topic, where it begins, and where it ends. Every
//! query has a time-out.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka::position::{NextOffset, Partition};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::MetadataTopic;
use rdkafka::topic_partition_list::Offset as Position;
use topic_id::{TopicId, TopicIdError};

use super::group::Group;
use crate::message::report::{Access, Ends, Report, Survey};

/// How long each query may take.
pub(super) const SURVEY_TIMEOUT: Duration = Duration::from_secs(2);

/// Queries the id of `topic`, whether this client can read it, and the start and end of `partitions`. Omits what is not
/// answered in time.
pub(super) fn survey(consumer: &BaseConsumer<Group>, topic: &str, partitions: &[Partition]) -> Report {
    let (topic_id, access) = match topic_id::id_and_allowed(consumer, topic, SURVEY_TIMEOUT) {
        Ok((id, Some(allowed))) if !allowed.read => (id, Some(Access::Denied)),
        Ok((id, _)) => (id, Some(Access::Readable)),
        Err(TopicIdError::Refused(RDKafkaErrorCode::TopicAuthorizationFailed)) => (None, Some(Access::Denied)),
        Err(TopicIdError::Refused(RDKafkaErrorCode::UnknownTopicOrPartition)) => (None, Some(Access::Missing)),
        Err(error) => {
            tracing::debug!(topic, %error, "Cannot read the topic's metadata; the next survey tries again.");
            (None, None)
        }
    };
    let starts = ask_offsets(consumer, topic, partitions, Position::Beginning);
    let answering: Vec<Partition> = starts.keys().copied().collect();
    let mut ends = ask_offsets(consumer, topic, &answering, Position::End);
    let both = starts.into_iter().filter_map(|(partition, start)| {
        let end = ends.remove(&partition)?;
        // The client's own knowledge may be older than the answer.
        let high = topic_id::high_watermark(consumer, topic, partition.0).map_or(end, |high| end.max(NextOffset(high)));
        Some(Ends { partition, start, end, high })
    });
    Report::Survey(Survey { topic_id, access, ends: both.collect() })
}

/// Queries the id of `topic`. Returns `None` if the cluster does not answer it.
pub(super) fn ask_topic_id(consumer: &BaseConsumer<Group>, topic: &str) -> Option<TopicId> {
    topic_id::topic_id(consumer, topic, SURVEY_TIMEOUT)
        .inspect_err(|error| tracing::debug!(topic, %error, "Cannot read the topic's id; the next survey tries again."))
        .ok()?
}

/// Queries the offset of `position` in each of `partitions`. Returns those that answer in time.
///
/// The client answers for all partitions or for none. So if one of them has no leader, asks again for the others.
pub(crate) fn ask_offsets<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partitions: &[Partition],
    position: Position,
) -> BTreeMap<Partition, NextOffset> {
    if partitions.is_empty() {
        return BTreeMap::new();
    }
    let answer = offsets_of(consumer, topic, partitions, position).or_else(|error| {
        let led = led(consumer, topic, partitions)?;
        if led.is_empty() || led.len() == partitions.len() {
            return Err(error);
        }
        offsets_of(consumer, topic, &led, position)
    });
    answer.unwrap_or_else(|error| {
        tracing::debug!(topic, %error, "Cannot read the ends of the partitions; the next survey tries again.");
        BTreeMap::new()
    })
}

/// Returns those of `partitions` that a broker leads.
fn led<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partitions: &[Partition],
) -> KafkaResult<Vec<Partition>> {
    let metadata = consumer.fetch_metadata(Some(topic), SURVEY_TIMEOUT)?;
    let of_topic = metadata.topics().iter().filter(|found| found.name() == topic);
    let led = of_topic.flat_map(MetadataTopic::partitions).filter(|partition| partition.leader() >= 0);
    let led = led.map(|partition| Partition(partition.id())).filter(|partition| partitions.contains(partition));
    Ok(led.collect())
}

/// Queries the offset of `position` in each of `partitions`.
///
/// # Errors
/// If one of them is not answered in time.
fn offsets_of<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partitions: &[Partition],
    position: Position,
) -> KafkaResult<BTreeMap<Partition, NextOffset>> {
    let mut asked = TopicPartitionList::new();
    for partition in partitions {
        asked.add_partition(topic, partition.0);
    }
    // In the request, a logical offset takes the place of a timestamp (ListOffsets in Kafka's protocol).
    asked.set_all_offsets(position)?;
    let answer = consumer.offsets_for_times(asked, SURVEY_TIMEOUT)?;
    let known = answer.elements().into_iter().filter(|element| element.error().is_ok());
    let offsets = known.filter_map(|element| match element.offset() {
        Position::Offset(offset) => Some((Partition(element.partition()), NextOffset(offset))),
        Position::Beginning | Position::End | Position::Stored | Position::Invalid | Position::OffsetTail(_) => None,
    });
    Ok(offsets.collect())
}

#[cfg(test)]
mod tests;
