//! What tasks report to the consuming thread.

use std::sync::Arc;

use avro::Schema;
use kafka::position::{NextOffset, Partition};
use rdkafka::error::KafkaResult;
use registry::RegistryError;
use registry::wire::SchemaId;
use topic_id::TopicId;

use crate::message::progress::{BatchId, Progress};
use crate::message::target::Route;

/// A report of a task that the consuming thread started.
#[derive(Debug)]
pub enum Report {
    /// A batch is settled.
    Settled(Settled),
    /// A batch is settled except for documents that were set aside.
    SetAside(SetAside),
    /// The registry answered for a schema id: with the schema, whose fields the index now has, or with an error.
    Schema(SchemaId, Result<Arc<Schema>, RegistryError>),
    /// The table of backing indices of this index set is there that a record of this placement time (in milliseconds
    /// since the Unix epoch) waited for.
    Table(Route, i64),
    /// The cluster answered about the topic's log.
    Survey(Survey),
    /// A commit has ended: its offsets and its result.
    Committed(Vec<(Partition, NextOffset)>, KafkaResult<()>),
}

/// What the cluster reported about the topic.
#[derive(Debug)]
pub struct Survey {
    /// The topic's id. None if the cluster did not report it.
    pub topic_id: Option<TopicId>,
    /// Whether this client can read the topic. None if the cluster did not report it.
    pub access: Option<Access>,
    /// Where the requested partitions begin and end, without those that did not answer.
    pub ends: Vec<Ends>,
}

/// Whether a client can read a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It can, as far as the cluster says.
    Readable,
    /// It lacks the permission.
    Denied,
    /// The topic does not exist.
    Missing,
}

/// Where the log of one partition begins and ends.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// The partition.
    pub partition: Partition,
    /// The first offset that can still be read: retention has deleted those below.
    pub start: NextOffset,
    /// The offset after the last record that can be read: the first record of an open transaction ends it.
    pub end: NextOffset,
    /// The offset after the last record, including those of and behind open transactions.
    pub high: NextOffset,
}

/// Every record of a batch is indexed, or acknowledged by the dead-letter topic.
#[derive(Debug)]
pub struct Settled {
    /// The id of the batch.
    pub id: BatchId,
    /// How far this takes its partitions.
    pub progress: Vec<Progress>,
    /// Bytes that the batch held and that are now free.
    pub held_bytes: usize,
    /// Whether a [`SetAside`] was reported for this batch before.
    pub was_set_aside: bool,
}

/// Every record of a batch is indexed or acknowledged by the dead-letter topic, except for some that were refused for
/// a reason not yet known.
#[derive(Debug)]
pub struct SetAside {
    /// How far the batch takes its partitions once the remaining records are settled too.
    pub progress: Vec<Progress>,
    /// Bytes that the batch no longer holds.
    pub freed_bytes: usize,
}
