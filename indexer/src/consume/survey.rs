//! A look at the log beside reading it: whether it is still the same topic, where it begins, where it ends.
//!
//! Reading alone does not say so. A topic re-created may look as if it went on; retention may delete what is not read
//! yet; and a partition that is paused says nothing of how much comes in. So every few seconds a thread of its own
//! asks, and reports back.

use std::collections::BTreeMap;

use kafka::position::NextOffset;
use rdkafka::consumer::ConsumerContext;
use rdkafka::topic_partition_list::Offset as Position;
use topic_id::TopicId;

use super::*;
use crate::message::report::Survey;

/// How often the log is looked at.
pub(super) const SURVEY_INTERVAL: Duration = Duration::from_secs(5);
/// How long each of the questions may take.
pub(super) const SURVEY_TIMEOUT: Duration = Duration::from_secs(2);
/// How long librdkafka may take to go back to the beginning of partitions.
const SEEK_TIMEOUT: Duration = Duration::from_secs(5);

impl Consumer {
    /// Asks for what the log is, on a thread of its own; the answer comes as a report.
    pub(super) fn begin_survey(&mut self) {
        let partitions: Vec<Partition> = self.books.ledger.assigned().collect();
        if partitions.is_empty() {
            return;
        }
        let stood = partitions.iter().filter_map(|partition| Some((*partition, self.stands(*partition)?))).collect();
        let jumps = self.books.take_jumps();
        self.note_jumps_back(&jumps);
        self.gaps.begin(jumps, stood);
        self.is_surveying = true;
        let (consumer, topic) = (Arc::clone(&self.consumer), self.topic.clone());
        self.tasks.wait_for_kafka(move || survey(&consumer, &topic, &partitions));
    }

    /// Takes up what the log is.
    pub(super) fn take_survey(&mut self, survey: &Survey) {
        self.is_surveying = false;
        if let Some(id) = survey.topic_id {
            self.identity.note(id);
            self.leave_old_topic();
        }
        for ends in &survey.ends {
            self.take_ends(ends.partition, ends.start, ends.end);
        }
        self.measure_lag();
    }

    /// Returns where reading of `partition` stands; none while that is unknown, or while records wait that were read
    /// beyond it.
    fn stands(&self, partition: Partition) -> Option<NextOffset> {
        self.books.builder.next(partition).filter(|_| !self.books.parked.holds(partition))
    }

    fn take_ends(&mut self, partition: Partition, start: NextOffset, end: NextOffset) {
        if !self.books.ledger.assigned().any(|assigned| assigned == partition) {
            return;
        }
        self.lag.note(partition, start, end);
        let stands = self.stands(partition);
        for loss in self.gaps.losses(partition, start, stands) {
            tracing::error!(
                topic = self.topic,
                partition = partition.0,
                from = loss.from.0,
                to = loss.to.0,
                records = loss.records(),
                "Retention deleted records before they were indexed; they are lost. The indexer is too slow, or was \
                 down for too long, for the topic's retention."
            );
            self.metrics.lost_records.with_label_values(&[&self.topic]).inc_by(loss.records());
            if loss.is_ahead {
                self.books.builder.pass(partition, loss.to);
            }
        }
    }

    /// Reports where offsets went back within a topic: records were taken off the end of the log, or it is another one.
    pub(super) fn note_jumps_back(&self, jumps: &[books::Jump]) {
        for jump in jumps.iter().filter(|jump| jump.is_back()) {
            tracing::error!(
                topic = self.topic,
                partition = jump.partition.0,
                from = jump.from.0,
                to = jump.to.0,
                "The offsets of a partition went back: its log was truncated (an unclean leader election) or is a new \
                 one. It is read again from there; existing documents are not duplicated."
            );
            self.metrics.log_resets.with_label_values(&[self.topic.as_str(), "went_back"]).inc();
        }
    }

    /// Goes back to the beginning of each partition whose offsets belong to a topic that was deleted.
    fn leave_old_topic(&mut self) {
        let strangers = self.identity.strangers();
        if strangers.is_empty() {
            return;
        }
        tracing::error!(
            topic = self.topic,
            partitions = numbers(strangers.iter().copied()),
            "The topic was deleted and created again: it is read from its beginning. Records of the old topic that \
             were not indexed are lost."
        );
        self.rewind(&strangers, "recreated");
    }

    /// Goes back to the beginning of each partition whose log is not the one that was committed past.
    pub(super) fn leave_other_logs(&mut self) {
        let others = self.marks.others();
        if others.is_empty() {
            return;
        }
        tracing::error!(
            topic = self.topic,
            partitions = numbers(others.iter().copied()),
            "The record before the committed offset is not the one that was indexed: the log was truncated (an unclean leader election) or \
             restored, and has grown since. The partitions are read from their beginning; documents that exist are not written twice."
        );
        self.rewind(&others, "replaced");
    }

    /// Reads `partitions` from their beginning, for `reason`.
    fn rewind(&mut self, partitions: &[Partition], reason: &str) {
        let mut beginning = self.partition_list(partitions.iter().copied());
        if let Err(error) = beginning.set_all_offsets(Position::Beginning) {
            tracing::error!(topic = self.topic, %error, "Cannot query the start offsets of the partitions.");
            return;
        }
        match self.consumer.seek_partitions(beginning, SEEK_TIMEOUT) {
            Ok(sought) => {
                let found = sought.elements().into_iter().filter(|element| element.error().is_ok());
                let found: Vec<Partition> = found.map(|element| Partition(element.partition())).collect();
                self.begin_anew(&found, reason);
            }
            Err(error) => tracing::warn!(topic = self.topic, %error, "Cannot rewind the partitions; trying again."),
        }
    }

    fn begin_anew(&mut self, partitions: &[Partition], reason: &str) {
        for partition in partitions {
            self.identity.begin_anew(*partition);
            self.begin_partition(*partition, None);
            self.metrics.log_resets.with_label_values(&[self.topic.as_str(), reason]).inc();
        }
        self.positions.distrust(&self.consumer, partitions);
        if self.paused {
            return;
        }
        // Some may have been paused for records that waited, and do so no longer.
        if let Err(error) = self.consumer.resume(&self.partition_list(partitions.iter().copied())) {
            tracing::warn!(topic = self.topic, %error, "Cannot resume the partitions.");
        }
    }
}

/// Asks for the id of `topic`, and for the start and end of `partitions`. What is not answered in time is left out.
fn survey(consumer: &BaseConsumer<Group>, topic: &str, partitions: &[Partition]) -> Report {
    let topic_id = ask_topic_id(consumer, topic);
    let starts = ask_offsets(consumer, topic, partitions, Position::Beginning);
    let mut ends = ask_offsets(consumer, topic, partitions, Position::End);
    let both = starts.into_iter().filter_map(|(partition, start)| {
        let end = ends.remove(&partition)?;
        Some(crate::message::report::Ends { partition, start, end })
    });
    Report::Survey(Survey { topic_id, ends: both.collect() })
}

/// Asks for the id of `topic`; none where the cluster does not say.
pub(super) fn ask_topic_id(consumer: &BaseConsumer<Group>, topic: &str) -> Option<TopicId> {
    topic_id::topic_id(consumer, topic, SURVEY_TIMEOUT)
        .inspect_err(|error| tracing::debug!(topic, %error, "The id of the topic is not known for now."))
        .ok()?
}

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
    // The logical offsets are what a timestamp is in the request (ListOffsets in Kafka's protocol).
    let answer = asked.set_all_offsets(position).and_then(|()| consumer.offsets_for_times(asked, SURVEY_TIMEOUT));
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            tracing::debug!(topic, %error, "The ends of the partitions are not known for now.");
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
