//! What a body comes to without authentication, source, registry and Kafka: by the receiver's own reader, which is
//! what a fuzzer drives.

use std::sync::Arc;
use std::time::Duration;

use avro::{Limits, Schema, SchemaError};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use registry::wire::{FRAME_LEN, SchemaId};
use tokio::runtime::Runtime;
use tokio::time::Instant;

pub use requests::{OfflineSignatures, Signature, ingest_head};

use crate::body_budget::MemoryBudget;
use crate::message::{Buffer, Writer};
use crate::receive::reader::{Events, Reader, Schemas};
use crate::reject::location::ErrorLocation;
use crate::reject::{Rejection, SchemaName};
use crate::stages::unframe::Reading;
use crate::stages::validate::BatchLimits;
use crate::workers::Workers;

mod requests;

/// More than a body takes: nothing is waited for here.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// Reads bodies by one schema, whatever id they name; files by their own.
#[derive(Debug)]
pub struct OfflineIngest {
    schemas: OneSchema,
    limits: BatchLimits,
    reading: Reading,
    workers: Workers,
    runtime: Runtime,
}

/// A schema for every name.
#[derive(Debug)]
struct OneSchema {
    writer: Arc<Writer>,
    key_field: Option<String>,
}

impl OneSchema {
    /// Returns the schema under the id that a frame names.
    fn named(&self, id: SchemaId) -> Arc<Writer> {
        let Writer { schema, key, uuids, .. } = &*self.writer;
        Arc::new(Writer { id, schema: Arc::clone(schema), key: key.clone(), uuids: *uuids })
    }
}

/// What became of a body: the code of the problem, and the reason, where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It holds so many events.
    Accepted(usize),
    /// It is refused.
    Refused(&'static str, Option<&'static str>),
}

/// Why bodies cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OfflineIngestError {
    /// It is not a schema, or lacks the field of the key.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Its runtime cannot be made.
    #[error("the runtime cannot be made: {0}")]
    Runtime(#[from] std::io::Error),
}

impl OfflineIngest {
    /// By the schema `json`, whose key is the field `key_field`. A body, or the events of a file, may become
    /// `max_decompressed` bytes.
    ///
    /// # Errors
    /// [`OfflineIngestError`].
    pub fn new(json: &str, key_field: Option<&str>, max_decompressed: usize) -> Result<Self, OfflineIngestError> {
        let writer = Arc::new(writer(json, key_field)?);
        let event = Limits { max_depth: 64, max_items: 100_000, max_values: 1_600_000 };
        Ok(Self {
            schemas: OneSchema { writer, key_field: key_field.map(str::to_owned) },
            limits: BatchLimits { event, events: 10_000, bytes: max_decompressed },
            reading: Reading::default(),
            workers: Workers::default(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_time().build()?,
        })
    }

    /// Returns what becomes of `body` that came with these two headers; an empty one counts as absent. A panic of the
    /// receiver, on whatever thread, is one here.
    pub fn ingest(&self, content_type: &str, content_encoding: &str, body: &[u8]) -> Verdict {
        match self.runtime.block_on(self.read(content_type, content_encoding, body)) {
            Ok(events) => Verdict::Accepted(events),
            Err(rejection) => {
                assert!(!matches!(rejection, Rejection::Internal), "a worker panicked");
                // What is said is a part of what is tried.
                let location = ErrorLocation::of(&rejection);
                let said = (rejection.detail(), location.as_ref().map(ToString::to_string));
                debug_assert!(!said.0.is_empty() && said.1.as_deref() != Some(""));
                Verdict::Refused(rejection.code(), location.map(|location| location.reason))
            }
        }
    }

    async fn read(&self, content_type: &str, content_encoding: &str, sent: &[u8]) -> Result<usize, Rejection> {
        let mut head = HeaderMap::new();
        for (name, value) in [(CONTENT_TYPE, content_type), (CONTENT_ENCODING, content_encoding)] {
            match HeaderValue::from_str(value) {
                Ok(value) if !value.is_empty() => drop(head.insert(name, value)),
                _ => {}
            }
        }
        let mut body = Buffer::with_capacity(sent.len());
        body.bytes_mut().extend_from_slice(sent);
        // What a body may take is bounded by the limits.
        let mut budget = MemoryBudget::new(usize::MAX).hold();
        let deadline = Instant::now() + PATIENCE;
        let Self { schemas, reading, limits, workers, .. } = self;
        let reader = Reader { schemas, reading, limits: *limits, workers };
        let read = reader.read(&head, &mut body, &mut budget, deadline).await.map(|events| count(&events));
        body.unframe();
        // A body that had a form was not empty. One that was handed to a thread and lost there would be empty now.
        let had_form = read.as_ref().map_or_else(|unread| unread.form.is_some(), |_| true);
        debug_assert!(!had_form || !body.body().is_empty());
        read.map_err(|unread| unread.rejection)
    }
}

/// Returns how many events there are. Looks at each.
fn count(events: &Events<'_>) -> usize {
    match events {
        Events::One(event) => usize::from(!event.value().is_empty() || event.key().is_some()),
        Events::Many(batch) => {
            let bytes: usize = batch.events().map(|event| event.value().len() + event.key().map_or(0, str::len)).sum();
            debug_assert!(bytes >= batch.events().len() * FRAME_LEN);
            batch.events().len()
        }
    }
}

impl Schemas for OneSchema {
    fn current(&self) -> Result<Arc<Writer>, Rejection> {
        Ok(Arc::clone(&self.writer))
    }

    async fn writer(&self, id: SchemaId, _: Instant) -> Result<Arc<Writer>, Rejection> {
        Ok(self.named(id))
    }

    async fn known_writer(&self, id: SchemaId) -> Option<Arc<Writer>> {
        Some(self.named(id))
    }

    async fn writer_of_version(&self, _: u32, _: Instant) -> Result<Arc<Writer>, Rejection> {
        self.current()
    }

    async fn writer_of_fingerprint(&self, _: u64, _: Instant) -> Result<Arc<Writer>, Rejection> {
        self.current()
    }

    /// Returns the file's own schema, as one that was registered.
    async fn writer_of_text(&self, text: &str, _: Instant) -> Result<Arc<Writer>, Rejection> {
        let unusable = |_| Rejection::UnusableSchema(SchemaName::File, "");
        let found = writer(text, self.key_field.as_deref()).or_else(|_| writer(text, None)).map_err(unusable)?;
        Ok(Arc::new(found))
    }
}

fn writer(json: &str, key_field: Option<&str>) -> Result<Writer, SchemaError> {
    let schema = Arc::new(Schema::parse(json)?);
    let key = key_field.map(|dotted| schema.field(dotted)).transpose()?;
    // Asked for as a file's schema would be looked up.
    let id = SchemaId((schema.fingerprint() as u32) | 1);
    Ok(Writer { id, schema, key, uuids: avro::Uuids::Any })
}
