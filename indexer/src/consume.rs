//! The consuming thread: the only place where records are consumed, batches dispatched and offsets committed.
//!
//! It is a thread of its own because librdkafka's consumer is synchronous and must be polled at all times: a consumer
//! that is not polled for `max.poll.interval.ms` is removed from its group. So the thread never waits for
//! Elasticsearch, the registry or dead letters. Tasks wait and report back. When the memory limit is reached, the
//! thread pauses its partitions and continues polling.
//!
//! This file holds the order of the steps. `flow` moves the records, `topic` is what it works with, and each concern
//! has a file of its own.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use kafka::position::Partition;
use rdkafka::TopicPartitionList;
use rdkafka::error::KafkaResult;
use service::admin::Condition;
use tokio_util::sync::CancellationToken;

use self::committer::Committer;
use self::dispatcher::Dispatcher;
use self::flow::Flow;
use self::group::Rebalance;
use self::intake::Intake;
use self::interval::Interval;
use self::membership::Membership;
use self::reading::Reading;
use self::subscription::{Subscription, partitions_of};
use self::surveyor::Surveyor;
use self::topic::{TakeOver, Topic};
use self::waiting::Waiting;
use crate::config::Config;
use crate::decode::Decoder;
use crate::message::report::Report;
use crate::metrics::Metrics;
use crate::tasks::Tasks;

mod batch_limits;
pub mod books;
mod committer;
mod dispatcher;
mod figures;
mod flow;
mod gaps;
pub(crate) mod group;
pub(crate) mod identity;
mod intake;
mod interval;
mod jump;
mod lag;
mod logs;
mod marks;
mod membership;
mod memory_budget;
pub mod need;
pub mod park;
mod partitions;
mod positions;
mod prefetch;
pub mod reading;
mod stalls;
mod subscription;
pub(crate) mod survey;
mod surveyor;
mod topic;
mod transactions;
mod waiting;

/// The consuming thread's state.
pub struct Consumer {
    flow: Flow,
    membership: Membership,
    /// When settled offsets are committed and measured.
    commits: Interval,
    drain_timeout: Duration,
}

/// The conditions of readiness that the thread owns.
#[derive(Debug)]
pub struct Conditions {
    /// Met while the cluster is reachable and the group has given an assignment.
    pub kafka: Condition,
    /// Unmet while records wait for a registry that is down.
    pub schemas: Condition,
}

impl Consumer {
    /// Joins the group and subscribes to the topic. `reading` says what to read of it.
    ///
    /// # Errors
    /// If librdkafka refuses the settings.
    pub fn new(
        config: &Config,
        decoder: Decoder,
        tasks: Tasks,
        reports: Receiver<Report>,
        metrics: Metrics,
        conditions: Conditions,
        reading: Reading,
    ) -> KafkaResult<Self> {
        let Conditions { kafka, schemas } = conditions;
        let now = Instant::now();
        let forgetting = Interval::after(now, config.schema_registry.negative_ttl);
        let checking = Interval::after(now, config.schema_registry.refresh);
        let flow = Flow {
            topic: Topic::new(Subscription::new(config, kafka.clone())?, reading, metrics),
            intake: Intake::new(decoder, Waiting::new(schemas), forgetting, checking),
            dispatcher: Dispatcher::new(config),
            committer: Committer::new(kafka.clone()),
            surveyor: Surveyor::new(kafka.clone()),
            tasks,
            reports,
        };
        Ok(Self {
            flow,
            membership: Membership::new(config, kafka, now),
            commits: Interval::after(now, config.indexer.commit_interval),
            drain_timeout: config.indexer.drain_timeout,
        })
    }

    /// Consumes until `shutdown` is cancelled or everything to read is settled. Then drains, commits and leaves the
    /// group.
    ///
    /// # Errors
    /// If the client fails with an error that librdkafka calls fatal. The next member reads again what was not
    /// committed.
    pub fn run(mut self, shutdown: &CancellationToken) -> KafkaResult<()> {
        let mut outcome = Ok(());
        while !shutdown.is_cancelled() && !self.is_at_end() {
            outcome = self.turn(shutdown);
            if let Err(error) = &outcome {
                group::log_fenced(error);
                break;
            }
        }
        self.close();
        outcome
    }

    fn turn(&mut self, shutdown: &CancellationToken) -> KafkaResult<()> {
        self.flow.take_reports(Duration::ZERO);
        self.carry_out_rebalances();
        self.flow.send_if_due(Instant::now());
        self.housekeep(Instant::now());
        self.flow.make_room(shutdown);
        self.flow.take_records()
    }

    /// Commits settled offsets and runs the periodic checks, each at its own interval.
    fn housekeep(&mut self, now: Instant) {
        if self.commits.begin(now) {
            self.flow.commit();
        }
        self.flow.renew(now);
        self.membership.probe(&self.flow.topic.subscription, now);
    }

    /// Returns whether a command has read and settled everything, or cannot continue.
    fn is_at_end(&mut self) -> bool {
        let partitions = &mut self.flow.topic.partitions;
        self.membership.has_joined() && partitions.reading.is_at_end(&partitions.books, Instant::now())
    }

    fn carry_out_rebalances(&mut self) {
        while let Some(rebalance) = self.flow.topic.subscription.next_rebalance(Instant::now()) {
            match rebalance {
                Rebalance::Assign(list) => self.assign(list),
                Rebalance::Revoke(list) => self.revoke(&list),
            }
            // A commit in flight during a rebalance is refused, even for partitions that stay here.
            self.flow.topic.partitions.books.ledger.commit_failed();
        }
        // Only now: librdkafka would take this for the answer to a rebalance.
        self.flow.topic.take_up_stalled();
    }

    /// Takes partitions over. If their committed offsets are not known, tries again after a while: until then, the
    /// partitions are not read, and the rebalances behind this one wait.
    fn assign(&mut self, list: TopicPartitionList) {
        match self.flow.topic.assign(&list) {
            TakeOver::Done => {
                self.membership.join();
                self.flow.surveyor.hurry();
            }
            TakeOver::OffsetsUnknown => {
                self.membership.wait();
                self.flow.topic.subscription.defer(Rebalance::Assign(list), Instant::now());
            }
            TakeOver::Failed => {}
        }
    }

    /// Gives partitions up: sends what is held, waits until it settles, commits, and releases them.
    fn revoke(&mut self, list: &TopicPartitionList) {
        if self.flow.topic.subscription.has_lost() {
            self.flow.topic.figures.rebalanced("lost");
            tracing::warn!(
                topic = self.flow.topic.name(),
                "The group has already reassigned the partitions: records in flight are not committed here."
            );
        } else {
            self.flow.topic.figures.rebalanced("revoked");
            self.flow.drain(&partitions_of(list), self.drain_timeout);
        }
        self.flow.topic.release(list, &self.flow.tasks);
    }

    /// Drains all partitions at the end, and closes the client.
    fn close(&mut self) {
        let partitions: Vec<Partition> = self.flow.topic.partitions.books.ledger.assigned().collect();
        self.flow.drain(&partitions, self.drain_timeout);
        self.flow.close();
    }
}

#[cfg(test)]
mod tests;
