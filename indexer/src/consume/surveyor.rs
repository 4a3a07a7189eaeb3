//! Surveys the log in addition to reading it, and handles the results.
//!
//! Reading alone is not enough. A re-created topic may look like the old one, retention may delete unread records,
//! a paused partition does not show how much arrives, and a topic that this client may not read, or that does not
//! exist, looks like one to which nothing is written. So a separate thread queries the log every few seconds and
//! reports back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka::position::Partition;
use service::admin::Condition;

use super::interval::Interval;
use super::jump::Jump;
use super::survey::survey;
use super::topic::{Topic, numbers};
use crate::message::report::{Access, Ends, Survey};
use crate::tasks::Tasks;

/// How often the log is surveyed.
const SURVEY_INTERVAL: Duration = Duration::from_secs(5);
/// How often a member without partitions asks whether the topic can be read.
const IDLE_INTERVAL: Duration = Duration::from_secs(30);

/// Starts surveys of the log, one at a time.
#[derive(Debug)]
pub(super) struct Surveyor {
    interval: Interval,
    /// The interval without partitions.
    idle: Interval,
    is_surveying: bool,
    /// How many surveys in a row found no topic.
    missing: u32,
    /// Unmet while this client cannot read the topic.
    kafka: Condition,
}

impl Surveyor {
    /// Creates a surveyor whose first survey is due immediately. `kafka` is unmet while this client cannot read
    /// the topic.
    pub(super) fn new(kafka: Condition) -> Self {
        let [interval, idle] = [SURVEY_INTERVAL, IDLE_INTERVAL].map(Interval::at_once);
        Self { interval, idle, is_surveying: false, missing: 0, kafka }
    }

    /// Makes the next survey due immediately, because the assignment has changed.
    pub(super) fn hurry(&mut self) {
        self.interval.hurry();
    }

    /// Starts a survey of `topic` on a thread of its own, if it is due. The result comes as a report. A member without
    /// partitions asks too: a topic that cannot be read has none to give.
    pub(super) fn begin(&mut self, topic: &mut Topic, tasks: &Tasks, now: Instant) {
        let books = &mut topic.partitions.books;
        let is_idle = books.ledger.assigned().next().is_none();
        let interval = if is_idle { &mut self.idle } else { &mut self.interval };
        if self.is_surveying || !interval.begin(now) {
            return;
        }
        let partitions: Vec<Partition> = books.ledger.assigned().collect();
        let read_positions =
            partitions.iter().filter_map(|partition| Some((*partition, books.read_position(*partition)?))).collect();
        let jumps = books.take_jumps();
        report_jumps_back(&jumps, topic);
        topic.partitions.logs.gaps.begin(jumps, read_positions);
        self.is_surveying = true;
        let (client, name) = (Arc::clone(topic.subscription.client()), topic.name().to_owned());
        tasks.wait_for_kafka(move || survey(&client, &name, &partitions));
    }

    /// Handles the result of a survey.
    pub(super) fn take(&mut self, survey: &Survey, topic: &mut Topic) {
        self.is_surveying = false;
        if let Some(access) = survey.access {
            self.note_access(access, topic);
        }
        if let Some(id) = survey.topic_id {
            topic.partitions.logs.identity.note(id);
            leave_old_topic(topic);
        }
        let now = Instant::now();
        for ends in &survey.ends {
            take_ends(ends, topic, now);
        }
        topic.measure_lag();
    }

    /// Reports whether this client can read the topic. librdkafka reports a refusal only once, and its group goes on
    /// without it. A topic counts as missing from the second survey on, because a broker may not know a new one yet.
    fn note_access(&mut self, access: Access, topic: &mut Topic) {
        self.missing = if access == Access::Missing { self.missing.saturating_add(1) } else { 0 };
        if self.missing == 1 {
            return;
        }
        let is_new = topic.subscription.set_may_read(access == Access::Readable);
        let name = topic.subscription.topic();
        let reason = match access {
            Access::Readable if is_new => {
                tracing::info!(topic = name, "The indexer can read the topic again.");
                return;
            }
            Access::Readable => return,
            Access::Denied => format!("the indexer may not read topic {name}: allow Read and Describe on it"),
            Access::Missing => format!("no topic {name}: create it, or set kafka.create_topics"),
        };
        if is_new {
            tracing::error!(
                topic = name,
                reason,
                "The indexer cannot read its topic. Nothing is lost before retention ends."
            );
        }
        self.kafka.unmet(reason);
    }
}

fn take_ends(ends: &Ends, topic: &mut Topic, now: Instant) {
    let Ends { partition, start, end, high } = *ends;
    let partitions = &mut topic.partitions;
    if !partitions.books.ledger.is_assigned(partition) {
        return;
    }
    partitions.logs.lag.note(partition, start, high);
    if let Some(records) = partitions.logs.transactions.note(partition, end, high, now) {
        tracing::error!(
            topic = topic.subscription.topic(),
            partition = partition.0,
            offset = end.0,
            records,
            "A transaction that is open for long holds back the records from this offset on: its producer has crashed, \
             or never ends it. Find it with kafka-transactions.sh find-hanging, and abort it."
        );
    }
    let read_position = partitions.books.read_position(partition);
    for loss in partitions.logs.gaps.losses(partition, start, read_position) {
        tracing::error!(
            topic = topic.subscription.topic(),
            partition = partition.0,
            from = loss.from.0,
            to = loss.to.0,
            records = loss.records(),
            "Retention deleted records before they were indexed; they are lost. The indexer is too slow, or was \
             down for too long, for the topic's retention."
        );
        topic.figures.lost(loss.records());
        if loss.is_ahead {
            partitions.books.builder.pass(partition, loss.to);
        }
    }
    let at = partitions.books.read_position(partition);
    let has_more = at.unwrap_or(start).max(start) < end;
    let may_deliver = topic.subscription.may_deliver() && partitions.is_free(partition);
    partitions.logs.stalls.note(partition, at, has_more && may_deliver, now);
}

/// Reports offsets that went back within a topic: the log was truncated or replaced.
fn report_jumps_back(jumps: &[Jump], topic: &Topic) {
    for jump in jumps.iter().filter(|jump| jump.is_back()) {
        tracing::error!(
            topic = topic.name(),
            partition = jump.partition.0,
            from = jump.from.0,
            to = jump.to.0,
            "The offsets of a partition went back: its log was truncated (an unclean leader election) or is a new \
             one. It is read again from there; existing documents are not duplicated."
        );
        topic.figures.log_reset("went_back");
    }
}

/// Goes back to the beginning of each partition whose offsets belong to a deleted topic.
fn leave_old_topic(topic: &mut Topic) {
    let strangers = topic.partitions.logs.identity.strangers();
    if strangers.is_empty() {
        return;
    }
    tracing::error!(
        topic = topic.name(),
        partitions = numbers(&strangers),
        "The topic was deleted and created again: it is read from its beginning. Records of the old topic that \
         were not indexed are lost."
    );
    topic.rewind(&strangers, "recreated");
}

#[cfg(test)]
mod tests;
