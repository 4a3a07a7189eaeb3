//! The consuming thread: the one place where records come in, batches go out, and offsets are committed.
//!
//! It has a thread of its own because librdkafka's consumer is synchronous and must be polled whatever else happens: a
//! consumer that is not polled for `max.poll.interval.ms` is thrown out of its group. So the thread never waits for
//! Elasticsearch, for the registry or for dead letters: tasks do, and report back. When no more may be held, it pauses
//! its partitions and goes on polling.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use kafka::position::Partition;
use kafka::{Login, without_value};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult};
use service::admin::Condition;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, GroupProtocol};
use crate::decode::Decoder;
use crate::message::record::Record;
use crate::message::report::Report;
use crate::metrics::Metrics;
use crate::tasks::Tasks;
use books::Books;
use gaps::Gaps;
use group::Group;
use identity::Identity;
use lag::Lag;
use marks::Marks;
use memory_budget::MemoryBudget;
use positions::Positions;
use reading::Reading;
use survey::SURVEY_INTERVAL;

mod books;
mod commits;
mod drain;
mod flow;
mod gaps;
pub(crate) mod group;
pub(crate) mod identity;
mod intake;
mod lag;
mod marks;
mod memory_budget;
mod park;
mod positions;
mod prefetch;
pub mod reading;
pub(crate) mod survey;
mod waits;

/// How long one poll waits for a record; reports and rebalances wait no longer than this.
const POLL: Duration = Duration::from_millis(50);
/// How long it waits while a batch is due that has to wait for another one to settle.
const REPORT_POLL: Duration = Duration::from_millis(5);
/// Records taken before the thread looks at the clock and at its reports again.
const RECORDS_PER_TURN: usize = 256;
/// How long the thread waits for room before it pauses its partitions. A pause discards what the client has fetched
/// ahead, so it is for outages, not for the moments in which Kafka is merely faster than Elasticsearch.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a cluster that seems down is asked whether it is back.
const PROBE_INTERVAL: Duration = Duration::from_secs(2);
/// How long such a question may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a new member waits for its partitions before it may be a spare one.
const SPARE_AFTER: Duration = Duration::from_secs(10);

/// The consuming thread's state.
pub struct Consumer {
    consumer: Arc<BaseConsumer<Group>>,
    topic: String,
    reading: Reading,
    settings: Settings,
    decoder: Decoder,
    books: Books,
    identity: Identity,
    marks: Marks,
    gaps: Gaps,
    positions: Positions,
    lag: Lag,
    /// Room for the headers of the record being taken.
    headers: Vec<u8>,
    /// Records that were dated ahead of the clock.
    ahead: u64,
    memory_budget: MemoryBudget,
    tasks: Tasks,
    reports: Receiver<Report>,
    metrics: Metrics,
    kafka: Condition,
    schemas: Condition,
    paused: bool,
    /// Whether the group has given an assignment, were it an empty one.
    has_joined: bool,
    is_surveying: bool,
    is_committing: bool,
    started: Instant,
    last_commit: Instant,
    last_probe: Instant,
    last_forget: Instant,
    /// None: the next one is due at once.
    last_survey: Option<Instant>,
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
    kafka_timeout: Duration,
    /// Whether the group tells a member that it has nothing to do: by the protocol `consumer` it does not.
    tells_spares: bool,
}

/// The conditions of readiness that the thread owns.
#[derive(Debug)]
pub struct Conditions {
    /// Met while the cluster can be reached and the group has given its assignment.
    pub kafka: Condition,
    /// Unmet while records wait for a registry that is down.
    pub schemas: Condition,
}

impl Consumer {
    /// Joins the group and subscribes to the topic, which is read as `reading` says.
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
        reading: Reading,
    ) -> KafkaResult<Self> {
        let group = Group::new(conditions.kafka.clone(), Login::new(&config.kafka)?);
        let consumer: BaseConsumer<Group> =
            group::client_config(config)?.create_with_context(group).map_err(without_value)?;
        consumer.subscribe(&[&config.kafka.topic])?;
        let indexer = &config.indexer;
        let now = Instant::now();
        conditions.schemas.met();
        Ok(Self {
            consumer: Arc::new(consumer),
            topic: config.kafka.topic.clone(),
            reading,
            settings: Settings::of(config),
            decoder,
            books: Books::default(),
            identity: Identity::default(),
            marks: Marks::default(),
            gaps: Gaps::default(),
            positions: Positions::default(),
            lag: Lag::default(),
            headers: Vec::new(),
            ahead: 0,
            memory_budget: MemoryBudget::new(bytes(indexer.max_in_flight_bytes), indexer.max_in_flight_requests),
            tasks,
            reports,
            metrics,
            kafka: conditions.kafka,
            schemas: conditions.schemas,
            paused: false,
            has_joined: false,
            is_surveying: false,
            is_committing: false,
            started: now,
            last_commit: now,
            last_probe: now,
            last_forget: now,
            last_survey: None,
        })
    }

    /// Consumes until `shutdown` is cancelled or all that is to be read is settled, then drains, commits and leaves the
    /// group.
    ///
    /// # Errors
    /// When the client cannot go on: librdkafka calls the error fatal. What was not committed is read again by the next
    /// member.
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
        self.take_reports(Duration::ZERO);
        self.carry_out_rebalances();
        self.dispatch_if_due(Instant::now());
        self.housekeep(Instant::now());
        if !self.paused && !self.has_memory() {
            self.wait_for_memory(shutdown);
        }
        if self.paused && self.may_resume() {
            self.resume();
        }
        self.take_records()
    }

    /// Commits what is settled and renews what ages, each at its own interval.
    fn housekeep(&mut self, now: Instant) {
        if now.duration_since(self.last_commit) >= self.settings.commit_interval {
            self.last_commit = now;
            self.pass_what_is_no_record();
            self.begin_commit();
            self.measure_lag();
            let held_bytes = as_i64(self.held_bytes());
            self.metrics.held_bytes.with_label_values(&[&self.topic]).set(held_bytes);
            self.measure_parked();
        }
        if now.duration_since(self.last_forget) >= self.settings.forget_missing {
            self.last_forget = now;
            self.decoder.forget_missing();
        }
        if !self.is_surveying && self.last_survey.is_none_or(|last| now.duration_since(last) >= SURVEY_INTERVAL) {
            self.last_survey = Some(now);
            self.begin_survey();
        }
        if !self.kafka.is_met() && now.duration_since(self.last_probe) >= PROBE_INTERVAL {
            self.last_probe = now;
            self.probe();
        }
    }

    fn held_bytes(&self) -> usize {
        self.memory_budget.bytes() + self.books.waiting_bytes()
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
            kafka_timeout: config.kafka.timeout,
            tells_spares: indexer.group_protocol == GroupProtocol::Classic,
        }
    }
}

/// Returns the numbers of `partitions` as a log line has them.
fn numbers(partitions: impl Iterator<Item = Partition>) -> String {
    partitions.map(|partition| partition.to_string()).collect::<Vec<_>>().join(",")
}

fn bytes(size: bytesize::ByteSize) -> usize {
    usize::try_from(size.as_u64()).unwrap_or(usize::MAX)
}

fn as_i64(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
