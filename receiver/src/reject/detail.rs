//! Describes what is wrong with a request, in words for people.

use std::borrow::Cow;
use std::fmt;

use registry::wire::SchemaId;

use super::{Rejection, SchemaName};
use crate::stages::unframe::Framing;
use crate::stages::validate::{BatchError, Invalid};

/// Returns what is wrong with a request, for people.
pub(crate) fn detail(rejection: &Rejection) -> Cow<'static, str> {
    match rejection {
        Rejection::TooLarge(limit) => format!("the body is longer than the limit of {limit} bytes").into(),
        Rejection::Decompress(error) => error.to_string().into(),
        Rejection::Unframe(error) => error.to_string().into(),
        Rejection::Invalid { as_likely, as_framed: None } => likely(as_likely).into(),
        Rejection::Invalid { as_likely, as_framed: Some(framed) } => {
            let (id, error) = (framed.schema, &framed.error);
            format!("{}; nor is it in the Confluent wire format with schema id {id}: {error}", likely(as_likely)).into()
        }
        Rejection::Container(error) => container(error).into(),
        Rejection::Ambiguous(framing) => ambiguous(*framing).into(),
        Rejection::AmbiguousVersion(ids) => ambiguous_version(ids).into(),
        Rejection::UnknownSchema(SchemaName::File) => {
            "the subject has no schema with the same meaning as the one in the file (logical types, precision \
             and scale count)"
                .into()
        }
        Rejection::UnknownSchema(name) => format!("there is no schema with {name} that this webhook accepts").into(),
        Rejection::SchemaPending(name) => {
            format!("there is no schema with {name} yet: if it was registered a moment ago, try again").into()
        }
        Rejection::UnusableSchema(name, why) => format!("the schema with {name} is unusable: {why}").into(),
        _ => rejection.row().detail.unwrap_or(rejection.row().title).into(),
    }
}

fn likely(invalid: &Invalid) -> String {
    format!("not a datum of the schema with id {}: {}", invalid.schema, invalid.error)
}

fn container(error: &BatchError) -> String {
    match error {
        BatchError::Container(error) => error.to_string(),
        BatchError::Codec(name) => format!(
            "the codec {name:?} of the file is unknown: it must be null, deflate, snappy, zstandard, bzip2 or xz"
        ),
        BatchError::Block(offset, error) => format!("the block at byte {offset} cannot be read: {error}"),
        BatchError::Budget(error) => error.to_string(),
        BatchError::BlockLength(offset) => format!("the block at byte {offset} is longer than its events"),
        BatchError::TooManyEvents(limit) => format!("the file holds more events than the limit of {limit}"),
        BatchError::TooLarge(limit) => format!("the events of the file are longer than the limit of {limit} bytes"),
        BatchError::TooManyValues => "the events of the file hold far more values than bytes".to_owned(),
        BatchError::Event { index, invalid } => {
            format!("event {index} of the file, counted from 0, is {}", likely(invalid))
        }
    }
}

fn ambiguous(framing: Framing) -> String {
    let (form, content_type) = match framing {
        Framing::Confluent(id) => {
            (format!("in the Confluent wire format with schema id {id}"), "application/vnd.confluent.avro")
        }
        Framing::SingleObject(_) => {
            ("in single-object encoding".to_owned(), "application/vnd.apache.avro+single-object")
        }
        Framing::Container => ("an object container file".to_owned(), "application/vnd.apache.avro+container"),
    };
    format!(
        "the body is a bare datum and also {form}: send this form as {content_type}, or a bare datum with the \
         header X-Schema-Id"
    )
}

fn ambiguous_version(ids: &[SchemaId]) -> String {
    let ids: Vec<String> = ids.iter().map(SchemaId::to_string).collect();
    format!(
        "the body is not a datum of the latest schema, and means different things in the older ones with the ids \
         {}: name one in the header X-Schema-Id",
        ids.join(", ")
    )
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "the id {id}"),
            Self::Version(version) => write!(f, "the version {version}"),
            Self::Fingerprint(fingerprint) => write!(f, "the fingerprint {fingerprint:016x}"),
            Self::File => f.write_str("the text that the file holds"),
        }
    }
}
