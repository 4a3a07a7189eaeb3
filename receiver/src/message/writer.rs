//! A writer schema.

use std::sync::Arc;

use avro::{FieldPath, Schema, Uuids};
use registry::wire::SchemaId;

/// A schema that events are written with, and the path to the key in it.
#[derive(Debug)]
pub(crate) struct Writer {
    /// The schema id in frames.
    pub(crate) id: SchemaId,
    /// The schema.
    pub(crate) schema: Arc<Schema>,
    /// The path to the key, if the source has a key field.
    pub(crate) key: Option<FieldPath>,
    /// How to treat uuids with invalid text.
    pub(crate) uuids: Uuids,
}
