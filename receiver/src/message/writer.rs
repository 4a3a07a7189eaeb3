//! A schema by which events are read.

use std::sync::Arc;

use avro::{FieldPath, Schema, Uuids};
use registry::wire::SchemaId;

/// A schema that events are written with, and the way to the key in it.
#[derive(Debug)]
pub(crate) struct Writer {
    /// The id that frames carry.
    pub(crate) id: SchemaId,
    /// The schema.
    pub(crate) schema: Arc<Schema>,
    /// Where the key is, when the source has a key field.
    pub(crate) key: Option<FieldPath>,
    /// What is done about text of a uuid that is none.
    pub(crate) uuids: Uuids,
}
