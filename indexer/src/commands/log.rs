//! Reads topics independently of the consumer group: what a topic holds between two offsets, and what the group has
//! committed. Joins no group and commits nothing, so that the fleet is not affected. Its calls block, so they belong
//! on threads for blocking work.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use kafka::{Login, client_config, without_value};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::Offset as Position;
use rdkafka::{Offset, TopicPartitionList};

use crate::config::Config;
use crate::message::record::Record;

/// How long one `poll` waits.
const POLL: Duration = Duration::from_millis(100);
/// After this many times `kafka.timeout` without a record, reading has failed.
const PATIENCE: u32 = 3;
/// How much is prefetched, in KiB.
const FETCH_AHEAD_KIB: &str = "16384";

/// Reads the topics of one config.
pub struct LogReader {
    consumer: BaseConsumer<Login>,
    timeout: Duration,
}

/// The records of one partition between two offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The partition.
    pub partition: i32,
    /// The first offset.
    pub from: i64,
    /// The offset after the last record.
    pub to: i64,
}

impl Part {
    /// Returns the largest possible number of its records.
    pub fn len(&self) -> u64 {
        u64::try_from(self.to - self.from).unwrap_or(0)
    }

    /// Returns whether it contains no offsets.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why a topic cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Kafka refuses, or does not answer.
    #[error("kafka: {what}: {error}")]
    Kafka {
        /// The request.
        what: String,
        /// The error.
        error: KafkaError,
    },
    /// The topic does not exist.
    #[error("kafka: there is no topic {0}, or this role may not describe it")]
    Missing(String),
    /// No record arrives.
    #[error("kafka: no record of topic {topic} came within {waited:?}: are all its partitions led by a broker?")]
    Silent {
        /// The topic.
        topic: String,
        /// How long the reader waited.
        waited: Duration,
    },
}

impl LogReader {
    /// Creates a reader with the cluster, the group and the time-out of `config`. It connects on first use. Call it
    /// within a Tokio runtime.
    ///
    /// # Errors
    /// If librdkafka refuses `kafka.options`, or a file of `kafka.security` cannot be read.
    pub fn new(config: &Config) -> Result<Self, LogError> {
        let failed = |error| LogError::Kafka { what: "the client".to_owned(), error: without_value(error) };
        let create = || {
            let mut client = client_config(&config.kafka, "penstock-indexer-command")?;
            client
                .set("group.id", &config.indexer.group_id)
                .set("enable.auto.commit", "false")
                .set("enable.auto.offset.store", "false")
                .set("enable.partition.eof", "true")
                .set("auto.offset.reset", "earliest")
                .set("queued.max.messages.kbytes", FETCH_AHEAD_KIB);
            client.create_with_context(Login::new(&config.kafka)?)
        };
        Ok(Self { consumer: create().map_err(failed)?, timeout: config.kafka.timeout })
    }

    /// Returns the client, for queries that only one command needs.
    pub fn client(&self) -> &BaseConsumer<Login> {
        &self.consumer
    }

    /// Returns everything that `topic` holds now, by partition.
    ///
    /// # Errors
    /// For each function here: [`LogError`], also if the topic does not exist.
    pub fn parts(&self, topic: &str) -> Result<Vec<Part>, LogError> {
        let what = || format!("the partitions of topic {topic}");
        let metadata = self.consumer.fetch_metadata(Some(topic), self.timeout).map_err(failed(what))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let found = found.filter(|found| found.error().is_none() && !found.partitions().is_empty());
        let found = found.ok_or_else(|| LogError::Missing(topic.to_owned()))?;
        let mut parts = Vec::new();
        for partition in found.partitions() {
            let ends = self.consumer.fetch_watermarks(topic, partition.id(), self.timeout);
            let (from, to) = ends.map_err(failed(|| format!("the ends of {topic}-{}", partition.id())))?;
            parts.push(Part { partition: partition.id(), from, to });
        }
        parts.sort_by_key(|part| part.partition);
        Ok(parts)
    }

    /// Returns `parts` of `topic` without records from before `millis` (milliseconds since the Unix epoch), by the
    /// brokers' index of timestamps.
    ///
    /// # Errors
    /// The same as those of [`LogReader::parts`].
    pub fn since(&self, topic: &str, parts: Vec<Part>, millis: i64) -> Result<Vec<Part>, LogError> {
        let what = || format!("the offsets of a time in {topic}");
        let mut asked = TopicPartitionList::new();
        for part in &parts {
            asked.add_partition_offset(topic, part.partition, Offset::Offset(millis.max(0))).map_err(failed(what))?;
        }
        let found = self.consumer.offsets_for_times(asked, self.timeout).map_err(failed(what))?;
        let at: BTreeMap<i32, Position> =
            found.elements().iter().map(|element| (element.partition(), element.offset())).collect();
        let part = |part: Part| {
            let from = match at.get(&part.partition) {
                Some(Position::Offset(offset)) => (*offset).max(part.from),
                // No record is that recent.
                _ => part.to,
            };
            Part { from, ..part }
        };
        Ok(parts.into_iter().map(part).collect())
    }

    /// Returns the group's committed offset for each of `partitions` of `topic`, or `None` if nothing is committed.
    ///
    /// # Errors
    /// The same as those of [`LogReader::parts`].
    pub fn committed(
        &self,
        topic: &str,
        partitions: impl Iterator<Item = i32>,
    ) -> Result<BTreeMap<i32, Option<i64>>, LogError> {
        let what = || format!("the committed offsets of {topic}");
        let mut asked = TopicPartitionList::new();
        for partition in partitions {
            asked.add_partition(topic, partition);
        }
        let found = self.consumer.committed_offsets(asked, self.timeout).map_err(failed(what))?;
        let offset = |position: Position| position.to_raw().filter(|offset| *offset >= 0);
        Ok(found.elements().iter().map(|element| (element.partition(), offset(element.offset()))).collect())
    }

    /// Calls `each` for every record of `parts` of `topic`, in order within each partition, until it breaks. Skips
    /// records of aborted transactions.
    ///
    /// # Errors
    /// [`LogError`], or an error of `each`.
    pub fn scan<E: From<LogError>>(
        &self,
        topic: &str,
        parts: &[Part],
        mut each: impl FnMut(&Record<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let mut open: BTreeMap<i32, i64> =
            parts.iter().filter(|part| part.from < part.to).map(|part| (part.partition, part.to)).collect();
        self.assign(topic, parts)?;
        let mut buffer = Vec::new();
        let mut heard = Instant::now();
        while !open.is_empty() {
            let message = match self.consumer.poll(POLL) {
                None if heard.elapsed() > self.timeout * PATIENCE => {
                    return Err(LogError::Silent { topic: topic.to_owned(), waited: heard.elapsed() }.into());
                }
                None => continue,
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    open.remove(&partition);
                    continue;
                }
                Some(Err(error)) if is_passing(&error) => continue,
                Some(Err(error)) => return Err(failed(|| format!("reading {topic}"))(error).into()),
                Some(Ok(message)) => message,
            };
            let record = Record::of(&message, &mut buffer);
            let Some(to) = open.get(&record.partition.0).copied() else { continue };
            if record.offset.0 < to && each(&record)?.is_break() {
                break;
            }
            if record.offset.0 + 1 >= to {
                open.remove(&record.partition.0);
            }
            heard = Instant::now();
        }
        self.assign(topic, &[])?;
        Ok(())
    }

    fn assign(&self, topic: &str, parts: &[Part]) -> Result<(), LogError> {
        let what = || format!("reading {topic}");
        let mut list = TopicPartitionList::new();
        let mut seen = BTreeSet::new();
        for part in parts.iter().filter(|part| part.from < part.to && seen.insert(part.partition)) {
            list.add_partition_offset(topic, part.partition, Offset::Offset(part.from)).map_err(failed(what))?;
        }
        self.consumer.assign(&list).map_err(failed(what))
    }
}

fn failed(what: impl Fn() -> String) -> impl Fn(KafkaError) -> LogError {
    move |error| LogError::Kafka { what: what(), error }
}

/// Returns whether librdkafka recovers from `error` on its own.
pub(super) fn is_passing(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    let code = error.rdkafka_error_code();
    matches!(
        code,
        Some(
            Code::BrokerTransportFailure
                | Code::AllBrokersDown
                | Code::Resolve
                | Code::OperationTimedOut
                | Code::NotLeaderForPartition
                | Code::LeaderNotAvailable
                | Code::RequestTimedOut
        )
    )
}
