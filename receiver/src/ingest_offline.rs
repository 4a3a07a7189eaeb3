//! Reads a body with the receiver's own reader, but without authentication, sources, registry or Kafka. The fuzzer
//! drives this.

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
use crate::receive::{Events, Reader, Schemas};
use crate::reject::location::ErrorLocation;
use crate::reject::{Rejection, SchemaName, detail};
use crate::stages::unframe::Reading;
use crate::stages::validate::BatchLimits;
use crate::workers::Workers;

mod requests;

/// Longer than any body takes, because nothing waits here.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// Reads bodies with one schema, whatever id they name. Reads files with their own schema.
#[derive(Debug)]
pub struct OfflineIngest {
    reader: Reader<OneSchema>,
    runtime: Runtime,
}

/// Answers every schema name with one schema.
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

/// The result for a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The body holds this many events.
    Accepted(usize),
    /// The body is refused, with this code and, if there is one, this reason.
    Refused(&'static str, Option<&'static str>),
}

/// Says why bodies cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OfflineIngestError {
    /// The text is not a schema, or it lacks the key field.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The runtime cannot be created.
    #[error("cannot create the runtime: {0}")]
    Runtime(#[from] std::io::Error),
}

impl OfflineIngest {
    /// Creates a reader with the schema `json` and its key field `key_field`. A body may decompress to
    /// `max_decompressed` bytes, and so may the events of a file.
    ///
    /// # Errors
    /// [`OfflineIngestError`].
    pub fn new(json: &str, key_field: Option<&str>, max_decompressed: usize) -> Result<Self, OfflineIngestError> {
        let writer = Arc::new(writer(json, key_field)?);
        let schemas = OneSchema { writer, key_field: key_field.map(str::to_owned) };
        let event = Limits { max_depth: 64, max_items: 100_000, max_values: 1_600_000 };
        let limits = BatchLimits { event, events: 10_000, bytes: max_decompressed };
        Ok(Self {
            reader: Reader::new(schemas, Reading::default(), limits, &Workers::default()),
            runtime: tokio::runtime::Builder::new_current_thread().enable_time().build()?,
        })
    }

    /// Returns the result for a `body` with these two headers; an empty header counts as absent. Panics if the receiver
    /// panics on any thread.
    pub fn ingest(&self, content_type: &str, content_encoding: &str, body: &[u8]) -> Verdict {
        match self.runtime.block_on(self.read(content_type, content_encoding, body)) {
            Ok(events) => Verdict::Accepted(events),
            Err(rejection) => {
                assert!(!matches!(rejection, Rejection::Internal), "a worker panicked");
                // The texts of the refusal are tested as well.
                let location = ErrorLocation::of(&rejection);
                let said = (detail(&rejection), location.as_ref().map(ToString::to_string));
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
        // The limits bound what a body may take.
        let mut budget = MemoryBudget::new(usize::MAX).hold();
        let deadline = Instant::now() + PATIENCE;
        let read = self.reader.read(&head, &mut body, &mut budget, deadline).await.map(|events| count(&events));
        body.unframe();
        // A body with a form was not empty. If it is empty now, a thread took it and lost it.
        let had_form = read.as_ref().map_or_else(|unread| unread.form.is_some(), |_| true);
        debug_assert!(!had_form || !body.body().is_empty());
        read.map_err(|unread| unread.rejection)
    }
}

/// Returns the number of events, after looking at each.
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

    /// Returns the file's own schema, as if it were registered.
    async fn writer_of_text(&self, text: &str, _: Instant) -> Result<Arc<Writer>, Rejection> {
        let unusable = |_| Rejection::UnusableSchema(SchemaName::File, "");
        let found = writer(text, self.key_field.as_deref()).or_else(|_| writer(text, None)).map_err(unusable)?;
        Ok(Arc::new(found))
    }
}

fn writer(json: &str, key_field: Option<&str>) -> Result<Writer, SchemaError> {
    let schema = Arc::new(Schema::parse(json)?);
    let key = key_field.map(|dotted| schema.field(dotted)).transpose()?;
    // The lookup of a file's schema uses its fingerprint.
    let id = SchemaId((schema.fingerprint() as u32) | 1);
    Ok(Writer { id, schema, key, uuids: avro::Uuids::Any })
}
