//! What the tasks report back to the consuming thread.

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
    /// The registry answered for a schema id: here it is, and the index has its fields; or it is known that there is
    /// none.
    Schema(SchemaId, Result<Arc<Schema>, RegistryError>),
    /// The table of backing indices of this index set is there that a record of this placement time (in milliseconds
    /// since the Unix epoch) waited for.
    Table(Route, i64),
    /// The log was looked at.
    Survey(Survey),
    /// A commit has ended: these offsets, and how.
    Committed(Vec<(Partition, NextOffset)>, KafkaResult<()>),
}

/// What the cluster says of the topic.
#[derive(Debug)]
pub struct Survey {
    /// The topic's id; none where the cluster did not say.
    pub topic_id: Option<TopicId>,
    /// Where the partitions that were asked for begin and end; without those that did not answer.
    pub ends: Vec<Ends>,
}

/// Where the log of one partition begins and ends.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// The partition.
    pub partition: Partition,
    /// The first offset that may still be read: retention deleted what is below.
    pub start: NextOffset,
    /// Past the last record that may be read: open transactions do not count.
    pub end: NextOffset,
}

/// Every record of a batch is indexed, or acknowledged by the dead-letter topic.
#[derive(Debug)]
pub struct Settled {
    /// Which batch.
    pub id: BatchId,
    /// How far that takes its partitions.
    pub progress: Vec<Progress>,
    /// Bytes that the batch held and no longer holds.
    pub held_bytes: usize,
    /// Whether an [`SetAside`] went before.
    pub was_set_aside: bool,
}

/// Every record of a batch is indexed, or acknowledged by the dead-letter topic, except for some of which it is not
/// known what is at fault that they are refused.
#[derive(Debug)]
pub struct SetAside {
    /// How far it takes its partitions once these are settled too.
    pub progress: Vec<Progress>,
    /// Bytes that the batch no longer holds.
    pub freed_bytes: usize,
}
