//! `indexer`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytesize::ByteSize;
use config::units;
use serde::{Deserialize, Serialize};

use super::Topic;

/// `indexer`: the consumer group.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Indexer {
    /// `indexer.admin_listen`: the listen address for the status page (`/`), `/metrics`, `/livez` and `/readyz`;
    /// not for the internet.
    pub admin_listen: SocketAddr,
    /// `indexer.group_id`: the consumer group: the same for all indexers of one pipeline.
    pub group_id: String,
    /// `indexer.group_protocol`: `classic` (cooperative-sticky) or `consumer` (KIP-848; Kafka 4.0 and later).
    pub group_protocol: GroupProtocol,
    /// `indexer.group_instance_id`: makes this indexer a static member, so that a quick restart moves no partition;
    /// different for each indexer.
    pub group_instance_id: Option<String>,
    /// `indexer.topics`: several topics in one indexer: a map from topic to the settings that differ from
    /// `elasticsearch`. Without it, `kafka.topic` is consumed. `indexer.max_in_flight_requests` and
    /// `indexer.max_in_flight_bytes` are divided among the topics.
    pub topics: BTreeMap<String, Topic>,
    /// `indexer.group_per_topic`: each of `indexer.topics` has its own consumer group, `GROUP_ID-TOPIC`. In one shared
    /// group, a member that joins or leaves rebalances all topics. Offsets belong to a group: after a change each topic
    /// is read again from its start (one event stays one document), unless you copy the offsets first
    /// (`kafka-consumer-groups.sh --reset-offsets --from-file`).
    pub group_per_topic: bool,
    /// `indexer.batch`: when a bulk request is full.
    pub batch: Batch,
    /// `indexer.max_in_flight_requests`: concurrent bulk requests.
    pub max_in_flight_requests: usize,
    /// `indexer.max_in_flight_bytes`: bytes of records and documents held at a time, over all partitions; beyond that,
    /// consuming waits. At least `indexer.batch.max_bytes`.
    #[serde(with = "units::size")]
    pub max_in_flight_bytes: ByteSize,
    /// `indexer.commit_interval`: how often offsets are committed.
    #[serde(with = "humantime_serde")]
    pub commit_interval: Duration,
    /// `indexer.drain_timeout`: how long batches in flight may take to settle when partitions are revoked or at
    /// shutdown; records that are not settled by then are read again. At most half of Kafka's `max.poll.interval.ms` (5
    /// minutes).
    #[serde(with = "humantime_serde")]
    pub drain_timeout: Duration,
    /// `indexer.retry`: the waits between attempts.
    pub retry: Retry,
    /// `indexer.fuse`: when to stop rather than write dead letters.
    pub fuse: Fuse,
    /// `indexer.max_depth`: nesting depth of an event beyond which it becomes a dead letter, 1 to 200.
    pub max_depth: u16,
    /// `indexer.max_items`: array items and map entries of an event beyond which it becomes a dead letter.
    pub max_items: u32,
    /// `indexer.max_values`: how many values of all kinds an event may hold, fields included, before it is a dead
    /// letter.
    pub max_values: u32,
}

/// `indexer.group_protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupProtocol {
    /// The protocol of every Kafka, with the assignor `cooperative-sticky`.
    Classic,
    /// The protocol of KIP-848, in which the broker assigns.
    Consumer,
}

/// `indexer.batch`: a bulk request is sent when the first of these is reached.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Batch {
    /// `indexer.batch.max_documents`: documents in one bulk request.
    pub max_documents: usize,
    /// `indexer.batch.max_bytes`: bytes of one bulk request's body.
    #[serde(with = "units::size")]
    pub max_bytes: ByteSize,
    /// `indexer.batch.max_age`: how long the first document of a batch may wait for others.
    #[serde(with = "humantime_serde")]
    pub max_age: Duration,
}

/// `indexer.retry`: exponential backoff with full jitter. There is no last attempt, because Kafka keeps the event.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retry {
    /// `indexer.retry.initial`: the upper limit of the first wait between attempts; the limit doubles each time, with
    /// full jitter.
    #[serde(with = "humantime_serde")]
    pub initial: Duration,
    /// `indexer.retry.max`: the upper limit of every wait. There is no last attempt: Kafka keeps the event.
    #[serde(with = "humantime_serde")]
    pub max: Duration,
    /// `indexer.retry.max_retries`: after this many failed bulk requests in a row, the indexer sends only one small
    /// request at a time, every few seconds, until one succeeds.
    pub max_retries: u32,
}

/// `indexer.fuse`: if nearly every record would become a dead letter, the deployment is wrong and not the events. The
/// indexer then stops writing dead letters and committing for that topic, and reports it in log, metric and
/// readiness, until the refused documents are accepted.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fuse {
    /// `indexer.fuse.window`: the number of records over which the ratio is taken.
    pub window: u64,
    /// `indexer.fuse.max_ratio`: the largest share of dead letters in the window; 1 turns it off. Beyond it the indexer
    /// stops writing dead letters and committing for that topic, and reports it. It sends a few of the refused
    /// documents again by itself, and resumes once they are accepted.
    pub max_ratio: f64,
    /// `indexer.fuse.max_consecutive`: this many dead letters in a row blow the fuse, whatever the window holds.
    pub max_consecutive: u64,
}

impl Default for Fuse {
    fn default() -> Self {
        Self { window: 10_000, max_ratio: 0.5, max_consecutive: 2_000 }
    }
}

impl Default for Indexer {
    fn default() -> Self {
        Self {
            admin_listen: SocketAddr::from(([127, 0, 0, 1], 9102)),
            group_id: "penstock-indexer".to_owned(),
            group_protocol: GroupProtocol::Classic,
            group_instance_id: None,
            topics: BTreeMap::new(),
            group_per_topic: false,
            batch: Batch::default(),
            max_in_flight_requests: 4,
            max_in_flight_bytes: ByteSize::mib(64),
            commit_interval: Duration::from_secs(1),
            drain_timeout: Duration::from_secs(15),
            retry: Retry::default(),
            fuse: Fuse::default(),
            max_depth: 64,
            max_items: 100_000,
            max_values: 1_600_000,
        }
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self { max_documents: 500, max_bytes: ByteSize::mib(5), max_age: Duration::from_millis(500) }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self { initial: Duration::from_millis(200), max: Duration::from_secs(4), max_retries: 5 }
    }
}
