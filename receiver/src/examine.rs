//! The pure stages one after the other, as a body meets them (`Content-Encoding`, `unframe`, `validate`), without authentication, registry
//! or Kafka: what a fuzzer drives.

use std::sync::Arc;

use avro::{Container, Limits, Schema, SchemaError};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use registry::wire::{FRAME_LEN, SchemaId};

pub use requests::{Signature, SignatureExaminer, examine_head};

use crate::held::{Held, HeldBytes};
use crate::message::Buffer;
use crate::message::Writer;
use crate::receive::content::{coding, decoded};
use crate::reject::place::Place;
use crate::reject::{Rejection, SchemaName};
use crate::stages::unframe::{Form, Framing, Reading, SINGLE_OBJECT_LEN, unframe};
use crate::stages::validate::{BatchError, BatchLimits, Invalid, fits, validate, validate_container};

mod requests;

/// Reads bodies by one schema, whatever id they name.
#[derive(Debug)]
pub struct Examiner {
    writer: Writer,
    key_field: Option<String>,
    limits: BatchLimits,
}

/// What became of a body: the code of the problem, and the reason, where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It holds so many events.
    Accepted(usize),
    /// It is refused.
    Refused(&'static str, Option<&'static str>),
}

impl Examiner {
    /// By the schema `json`, whose key is the field `key_field`. A body, or the events of a file, may become `max_decompressed` bytes.
    ///
    /// # Errors
    /// When it is not a schema, or lacks the field.
    pub fn new(json: &str, key_field: Option<&str>, max_decompressed: usize) -> Result<Self, SchemaError> {
        let writer = writer(json, key_field)?;
        let event = Limits { max_depth: 64, max_items: 100_000, max_values: 1_600_000 };
        let limits = BatchLimits { event, events: 10_000, bytes: max_decompressed };
        Ok(Self { writer, key_field: key_field.map(str::to_owned), limits })
    }

    /// What becomes of `body` that came with these two headers; an empty one counts as absent.
    pub fn examine(&self, content_type: &str, content_encoding: &str, body: &[u8]) -> Verdict {
        match self.read(content_type, content_encoding, body) {
            Ok(events) => Verdict::Accepted(events),
            Err(rejection) => {
                // What is said is a part of what is tried.
                let place = Place::of(&rejection);
                let said = (rejection.detail().len(), format!("{place:?}").len());
                debug_assert!(said.0 > 0 && said.1 > 0);
                Verdict::Refused(rejection.word(), place.map(|place| place.reason))
            }
        }
    }

    fn read(&self, content_type: &str, content_encoding: &str, sent: &[u8]) -> Result<usize, Rejection> {
        let mut head = HeaderMap::new();
        for (name, value) in [(CONTENT_TYPE, content_type), (CONTENT_ENCODING, content_encoding)] {
            match HeaderValue::from_str(value) {
                Ok(value) if !value.is_empty() => drop(head.insert(name, value)),
                _ => {}
            }
        }
        let mut body = Buffer::with_capacity(sent.len());
        body.bytes_mut().extend_from_slice(sent);
        if let Some(format) = coding(&head)? {
            body = decoded(format, &body, self.limits.bytes, &mut held())?;
        }
        match unframe(&head, body.body(), &Reading::default()).map_err(Rejection::Unframe)? {
            Form::Bare | Form::BareOf(_) | Form::BareOfVersion(_) => self.one(&mut body, 0),
            Form::Framed(framing) => self.framed(framing, &mut body),
            Form::BareOrFramed(framing) => match fits(body.body(), &self.writer, self.limits.event) {
                Ok(()) => self.one(&mut body, 0),
                Err(_) => self.framed(framing, &mut body),
            },
        }
    }

    fn framed(&self, framing: Framing, body: &mut Buffer) -> Result<usize, Rejection> {
        match framing {
            Framing::Confluent(_) => self.one(body, FRAME_LEN),
            Framing::SingleObject(_) => self.one(body, SINGLE_OBJECT_LEN),
            Framing::Container => self.container(body.body()),
        }
    }

    /// Frames and reads the datum that begins at this byte, and sees that the body is whole afterwards.
    fn one(&self, body: &mut Buffer, begin: usize) -> Result<usize, Rejection> {
        let before = body.body().len();
        body.frame(begin, self.writer.id);
        let read = validate(body.with_frame(), &self.writer, self.limits.event);
        let result = match read {
            Ok(event) => Ok(usize::from(!event.value().is_empty() || event.key().is_some())),
            Err(invalid) => Err(refused(invalid)),
        };
        body.unframe();
        debug_assert_eq!(before, body.body().len());
        result
    }

    /// By the file's own schema, as one that was registered.
    fn container(&self, body: &[u8]) -> Result<usize, Rejection> {
        let failed = |error| Rejection::Container(BatchError::Container(error));
        let container = Container::open(body).map_err(failed)?;
        let unusable = |_| Rejection::UnusableSchema(SchemaName::File, "");
        let writer = match writer(container.schema(), self.key_field.as_deref()) {
            Ok(writer) => writer,
            Err(_) => writer(container.schema(), None).map_err(unusable)?,
        };
        let batch = validate_container(container, &writer, &self.limits, &mut held())?;
        let bytes: usize = batch.events().map(|event| event.value().len() + event.key().map_or(0, str::len)).sum();
        debug_assert!(bytes >= batch.events().len() * FRAME_LEN);
        Ok(batch.events().len())
    }
}

/// Room for one body after the other: what they may take is bounded by the limits.
fn held() -> Held {
    HeldBytes::new(usize::MAX).hold()
}

fn refused(invalid: Invalid) -> Rejection {
    Rejection::Invalid { as_likely: Box::new(invalid), as_framed: None }
}

fn writer(json: &str, key_field: Option<&str>) -> Result<Writer, SchemaError> {
    let schema = Arc::new(Schema::parse(json)?);
    let key = key_field.map(|dotted| schema.field(dotted)).transpose()?;
    // Asked for as a file's schema would be looked up.
    let id = SchemaId((schema.fingerprint() as u32) | 1);
    Ok(Writer { id, schema, key, uuids: avro::Uuids::Any })
}
