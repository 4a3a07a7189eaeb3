//! The consuming thread: the one place where records come in, batches go out, and offsets are committed.
//!
//! It has a thread of its own because librdkafka's consumer is synchronous and must be polled whatever else happens: a consumer that
//! is not polled for `max.poll.interval.ms` is thrown out of its group. So the thread never waits for Elasticsearch, for the
//! registry or for dead letters: tasks do, and report back. When no more may be held, it pauses its partitions and goes on polling.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult};
use shared::admin::Condition;
use shared::config::Config;
use shared::kafka::Login;
use shared::position::Partition;
use tokio_util::sync::CancellationToken;

use crate::batch::{BatchId, Filling};
use crate::commit::commit;
use crate::decode::{Decoded, Decoder};
use crate::metrics::Metrics;
use crate::record::Record;
use crate::report::Report;
use crate::settle::Ledger;
use crate::tasks::Tasks;
use group::Group;
use park::Parked;
use room::Room;

mod drain;
mod group;
mod intake;
mod park;
mod room;
mod waits;

/// How long one poll waits for a record; reports and rebalances wait no longer than this.
const POLL: Duration = Duration::from_millis(50);
/// Records taken before the thread looks at the clock and at its reports again.
const RECORDS_PER_TURN: usize = 256;
/// How long the thread waits for room before it pauses its partitions. A pause throws away what the client has fetched ahead, so
/// it is for outages, not for the moments in which Kafka is merely faster than Elasticsearch.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a cluster that seems away is asked whether it is back.
const PROBE_INTERVAL: Duration = Duration::from_secs(2);
/// How long such a question may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// The consuming thread's state.
pub struct Consumer {
    consumer: BaseConsumer<Group>,
    topic: String,
    settings: Settings,
    decoder: Decoder,
    filling: Filling,
    parked: Parked,
    /// Room for the headers of the record being taken.
    headers: Vec<u8>,
    ledger: Ledger,
    room: Room,
    tasks: Tasks,
    reports: Receiver<Report>,
    metrics: Metrics,
    kafka: Condition,
    schemas: Condition,
    next_batch: u64,
    paused: bool,
    last_commit: Instant,
    last_probe: Instant,
    last_forget: Instant,
}

/// The parts of the config that the thread looks at while it runs.
#[derive(Clone, Copy, Debug)]
struct Settings {
    max_documents: usize,
    max_body_bytes: usize,
    max_age: Duration,
    commit_interval: Duration,
    drain_timeout: Duration,
    forget_missing: Duration,
}

/// The conditions of readiness that the thread owns.
#[derive(Debug)]
pub struct Conditions {
    /// Met while the cluster can be reached and the group has given its assignment.
    pub kafka: Condition,
    /// Unmet while records wait for a registry that is away.
    pub schemas: Condition,
}

impl Consumer {
    /// Joins the group and subscribes to the topic.
    ///
    /// # Errors
    /// When librdkafka refuses the settings.
    pub fn new(
        config: &Config,
        decoder: Decoder,
        tasks: Tasks,
        reports: Receiver<Report>,
        metrics: Metrics,
        conditions: Conditions,
    ) -> KafkaResult<Self> {
        let group = Group::new(conditions.kafka.clone(), metrics.lag.clone(), Login::new(&config.kafka)?);
        let consumer: BaseConsumer<Group> = group::client_config(config)?.create_with_context(group)?;
        consumer.subscribe(&[&config.kafka.topic])?;
        let indexer = &config.indexer;
        let now = Instant::now();
        conditions.schemas.met();
        Ok(Self {
            consumer,
            topic: config.kafka.topic.clone(),
            settings: Settings::of(config),
            decoder,
            filling: Filling::default(),
            parked: Parked::default(),
            headers: Vec::new(),
            ledger: Ledger::default(),
            room: Room::new(bytes(indexer.max_in_flight_bytes), indexer.max_in_flight_requests),
            tasks,
            reports,
            metrics,
            kafka: conditions.kafka,
            schemas: conditions.schemas,
            next_batch: 0,
            paused: false,
            last_commit: now,
            last_probe: now,
            last_forget: now,
        })
    }

    /// Consumes until `shutdown` is cancelled, then drains, commits and leaves the group.
    ///
    /// # Errors
    /// When the client cannot go on: librdkafka calls the error fatal. What was not committed is read again by the next member.
    pub fn run(mut self, shutdown: &CancellationToken) -> KafkaResult<()> {
        let mut outcome = Ok(());
        while !shutdown.is_cancelled() {
            outcome = self.turn(shutdown);
            if outcome.is_err() {
                break;
            }
        }
        self.drain_all();
        self.consumer.context().close();
        outcome
    }

    fn turn(&mut self, shutdown: &CancellationToken) -> KafkaResult<()> {
        self.take_reports(Duration::ZERO);
        self.carry_out_rebalances();
        self.dispatch_if_due(Instant::now());
        self.housekeep(Instant::now());
        if !self.paused && !self.has_room() {
            self.wait_for_room(shutdown);
        }
        if self.paused && self.may_resume() {
            self.resume();
        }
        self.take_records()
    }

    /// Whether more records may be taken: there are bytes left, and the batch being filled is not waiting to be sent.
    fn has_room(&self) -> bool {
        !self.is_full() && self.room.has_bytes(self.filling.held_bytes() + self.parked.bytes())
    }

    fn may_resume(&self) -> bool {
        !self.is_full() && self.room.has_drained(self.filling.held_bytes() + self.parked.bytes())
    }

    fn is_full(&self) -> bool {
        let settings = &self.settings;
        let max_body_bytes = settings.max_body_bytes.min(self.tasks.target_bytes());
        self.filling.documents() >= settings.max_documents
            || self.filling.undecodable() >= settings.max_documents
            || self.filling.body_bytes() >= max_body_bytes
    }

    fn wait_for_room(&mut self, shutdown: &CancellationToken) {
        let until = Instant::now() + PATIENCE;
        while !shutdown.is_cancelled() {
            self.take_reports(POLL);
            let now = Instant::now();
            self.dispatch_if_due(now);
            if self.has_room() {
                return;
            }
            if now >= until {
                return self.pause();
            }
        }
    }

    fn pause(&mut self) {
        let partitions = self.partition_list(self.ledger.assigned());
        if let Err(error) = self.consumer.pause(&partitions) {
            tracing::warn!(%error, "The partitions could not be paused.");
            return;
        }
        self.paused = true;
        self.metrics.paused.with_label_values(&[&self.topic]).set(1);
        tracing::info!(
            held_bytes = self.room.bytes(),
            batches = self.room.batches(),
            "As much is under way as may be: consuming pauses until half of it is settled."
        );
    }

    fn resume(&mut self) {
        let free = self.ledger.assigned().filter(|partition| !self.parked.holds(*partition));
        let partitions = self.partition_list(free);
        if let Err(error) = self.consumer.resume(&partitions) {
            tracing::warn!(%error, "The partitions could not be resumed.");
            return;
        }
        self.paused = false;
        self.metrics.paused.with_label_values(&[&self.topic]).set(0);
        tracing::info!("Consuming goes on.");
    }

    /// Commits what is settled and renews what ages, each at its own interval.
    fn housekeep(&mut self, now: Instant) {
        if now.duration_since(self.last_commit) >= self.settings.commit_interval {
            self.last_commit = now;
            self.commit(CommitMode::Async);
            let held_bytes = as_i64(self.held_bytes());
            self.metrics.held_bytes.with_label_values(&[&self.topic]).set(held_bytes);
        }
        if now.duration_since(self.last_forget) >= self.settings.forget_missing {
            self.last_forget = now;
            self.decoder.forget_missing();
        }
        if !self.kafka.is_met() && now.duration_since(self.last_probe) >= PROBE_INTERVAL {
            self.last_probe = now;
            self.probe();
        }
    }

    fn probe(&self) {
        let assigned = self.ledger.assigned().next().is_some();
        if assigned && self.consumer.fetch_metadata(Some(&self.topic), PROBE_TIMEOUT).is_ok() {
            self.kafka.met();
        }
    }

    fn commit(&mut self, mode: CommitMode) {
        if self.consumer.context().take_commit_failed() {
            self.ledger.commit_failed();
        }
        let offsets = self.ledger.take_commits();
        if let Err(error) = commit(&self.consumer, &self.topic, &offsets, mode) {
            tracing::warn!(%error, topic = self.topic, "A commit failed; it is tried again with the next one.");
            self.ledger.commit_failed();
        }
    }

    fn held_bytes(&self) -> usize {
        self.room.bytes() + self.filling.held_bytes() + self.parked.bytes()
    }

    fn partition_list(&self, partitions: impl Iterator<Item = Partition>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.topic, partition.0);
        }
        list
    }
}

impl Settings {
    fn of(config: &Config) -> Self {
        let indexer = &config.indexer;
        Self {
            max_documents: indexer.batch.max_documents,
            max_body_bytes: bytes(indexer.batch.max_bytes),
            max_age: indexer.batch.max_age,
            commit_interval: indexer.commit_interval,
            drain_timeout: indexer.drain_timeout,
            forget_missing: config.schema_registry.negative_ttl,
        }
    }
}

fn bytes(size: bytesize::ByteSize) -> usize {
    usize::try_from(size.as_u64()).unwrap_or(usize::MAX)
}

fn as_i64(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
