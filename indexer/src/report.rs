//! What the tasks report back to the consuming thread.

use std::sync::Arc;

use shared::avro::Schema;
use shared::registry::RegistryError;
use shared::wire::SchemaId;

use crate::batch::{BatchId, Progress};

/// A report of a task that the consuming thread started.
#[derive(Debug)]
pub enum Report {
    /// A batch is settled.
    Settled(Settled),
    /// The registry answered for a schema id: here it is, and the index has its fields; or it is known that there is none.
    Schema(SchemaId, Result<Arc<Schema>, RegistryError>),
    /// The table of backing indices that was waited for is there. It was asked for at this time, in milliseconds since the Unix epoch.
    Table(i64),
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
}
