//! From a record to a document in the batch being filled, or to the reason why not. Reads no clock and waits for nothing: a
//! schema that is not in memory is the caller's to fetch.

use std::collections::HashMap;
use std::sync::Arc;

use shared::avro::{DecodeError, Schema};
use shared::config::{Config, OnDuplicate};
use shared::wire::{self, SchemaId};

use crate::batch::Filling;
use crate::document;
use crate::record::Record;

/// How many schema ids are remembered as having no usable schema. Beyond it all are forgotten and asked for anew.
const MAX_MISSING: usize = 1_024;

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// It is a document of the batch.
    Document,
    /// It is a tombstone: nothing to index.
    Tombstone,
    /// No document can be made of it: it is a dead letter of the batch.
    Undecodable,
    /// Its schema has not been noted: fetch it and come again. The batch is unchanged.
    SchemaUnknown(SchemaId),
}

/// Decodes records of one topic.
#[derive(Debug)]
pub struct Decoder {
    topic: String,
    /// The schemas whose fields the index has.
    schemas: HashMap<SchemaId, Arc<Schema>>,
    max_schemas: usize,
    rules: document::Rules,
    on_duplicate: OnDuplicate,
    /// The schema used last: nearly always the next one too.
    last: Option<(SchemaId, Arc<Schema>)>,
    missing: HashMap<SchemaId, Missing>,
}

/// Why a schema id has no usable schema.
#[derive(Clone, Debug)]
pub struct Missing {
    /// A short fixed word.
    pub error_type: &'static str,
    /// What the registry said.
    pub reason: String,
}

impl Decoder {
    /// A decoder for the records of `kafka.topic`.
    pub fn new(config: &Config) -> Self {
        Self {
            topic: config.kafka.topic.clone(),
            schemas: HashMap::new(),
            max_schemas: usize::try_from(config.schema_registry.cache_capacity).unwrap_or(usize::MAX).max(1),
            rules: document::Rules::of(config),
            on_duplicate: config.elasticsearch.on_duplicate,
            last: None,
            missing: HashMap::new(),
        }
    }

    /// Notes the schema of `id`, whose fields the index has: records that name it are documents from now on. When there is no more room all
    /// others are forgotten: those in use come again.
    pub fn note_schema(&mut self, id: SchemaId, schema: Arc<Schema>) {
        if self.schemas.len() >= self.max_schemas {
            self.schemas.clear();
        }
        self.schemas.insert(id, schema);
    }

    /// Notes that `id` has no usable schema: records that name it are dead letters, until [`Decoder::forget_missing`].
    pub fn note_missing(&mut self, id: SchemaId, missing: Missing) {
        if self.missing.len() >= MAX_MISSING {
            self.missing.clear();
        }
        self.missing.insert(id, missing);
    }

    /// Forgets which ids have no schema, so that they are asked for again.
    pub fn forget_missing(&mut self) {
        self.missing.clear();
    }

    /// Makes a document of `record` and appends it to `batch`.
    pub fn decode(&mut self, record: &Record<'_>, batch: &mut Filling) -> Decoded {
        let Some(value) = record.value else {
            batch.skip(record);
            return Decoded::Tombstone;
        };
        let (id, datum) = match wire::unframe(value) {
            Ok(framed) => framed,
            Err(error) => {
                batch.refuse(record, None, "not-framed", error.to_string());
                return Decoded::Undecodable;
            }
        };
        let Some(schema) = self.schema(id) else {
            return self.without_schema(id, record, batch);
        };
        match self.append(&schema, id, datum, record, batch) {
            Ok(()) => Decoded::Document,
            Err(error) => {
                batch.refuse(record, Some(id), error.code(), error.to_string());
                Decoded::Undecodable
            }
        }
    }

    fn append(
        &self,
        schema: &Schema,
        id: SchemaId,
        datum: &[u8],
        record: &Record<'_>,
        batch: &mut Filling,
    ) -> Result<(), DecodeError> {
        batch.append(record, id, |body| {
            document::write_action(&self.topic, record, self.on_duplicate, body);
            document::write_document(schema, datum, self.rules, record.timestamp, body)
        })
    }

    fn without_schema(&self, id: SchemaId, record: &Record<'_>, batch: &mut Filling) -> Decoded {
        match self.missing.get(&id) {
            None => Decoded::SchemaUnknown(id),
            Some(missing) => {
                batch.refuse(record, Some(id), missing.error_type, missing.reason.clone());
                Decoded::Undecodable
            }
        }
    }

    fn schema(&mut self, id: SchemaId) -> Option<Arc<Schema>> {
        match &self.last {
            Some((last, schema)) if *last == id => Some(Arc::clone(schema)),
            _ => {
                let schema = Arc::clone(self.schemas.get(&id)?);
                self.last = Some((id, Arc::clone(&schema)));
                Some(schema)
            }
        }
    }
}
