//! In which form a body holds its event: the third stage, `… → authenticate → unframe → validate → …`. Pure.
//!
//! | `Content-Type` | the body is |
//! | --- | --- |
//! | `application/vnd.confluent.avro` | in the Confluent wire format: `00`, a 4-byte schema id, the datum |
//! | `application/avro`, `avro/binary`, `application/vnd.apache.avro+binary`, with the header `X-Schema-Id` | a bare datum of the schema of that id |
//! | the same without it | a bare datum of the source's current schema, or in the Confluent wire format, see below |
//!
//! A bare datum may itself begin with a zero byte (an empty string, a null, the number 0), so a leading `00` proves nothing.
//! Where the content type leaves it open and the body begins with `00`:
//!
//! 1. The body is a datum of the current schema, to its last byte: it is taken as bare.
//! 2. It is not, but names a schema id that the registry knows and is a datum of that schema to its last byte: framed.
//! 3. Neither: refused, with both reasons.
//! 4. Both, as far as is known without asking the registry: refused as ambiguous, rather than guess. It needs an event that
//!    happens to read in two ways from end to end; the content type of the framed form or `X-Schema-Id` settles it.
//!
//! What is compressed (`Content-Encoding`) is not understood yet and refused, so that compressed bytes are never taken for Avro.

use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName};
use shared::wire::{self, FrameError, SchemaId};

/// Names the schema of a bare datum.
const SCHEMA_ID: HeaderName = HeaderName::from_static("x-schema-id");

/// Media types of a body whose form the body itself has to tell.
const AVRO: [&str; 3] = ["application/avro", "avro/binary", "application/vnd.apache.avro+binary"];

/// Media type of the Confluent wire format. No registry of media types has one; this one is ours.
const CONFLUENT: &str = "application/vnd.confluent.avro";

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A bare datum of the source's current schema.
    Bare,
    /// A bare datum of the schema of this id.
    BareOf(SchemaId),
    /// In the Confluent wire format with the schema of this id.
    Framed(SchemaId),
    /// [`Form::Bare`], or else [`Form::Framed`]: see the rule above.
    BareOrFramed(SchemaId),
}

/// Why a body has no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnframeError {
    /// No `Content-Type`, more than one, or one that is not of Avro.
    #[error(
        "the Content-Type must be application/avro, avro/binary, application/vnd.apache.avro+binary or \
         application/vnd.confluent.avro"
    )]
    ContentType,
    /// The body is compressed.
    #[error("a Content-Encoding is not supported: send the body as it is")]
    ContentEncoding,
    /// There is no body.
    #[error("the body is empty: one Avro datum is expected")]
    Empty,
    /// `X-Schema-Id` is no id.
    #[error("the header X-Schema-Id must be one whole number from 0 to 4294967295")]
    SchemaIdHeader,
    /// Said to be framed, but is not.
    #[error("{0}")]
    Frame(#[from] FrameError),
}

/// The form of `body`, by the head it came with and its first bytes.
///
/// # Errors
/// [`UnframeError`].
pub(crate) fn unframe(head: &HeaderMap, body: &[u8]) -> Result<Form, UnframeError> {
    let confluent = is_confluent(head)?;
    if head.get_all(CONTENT_ENCODING).iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(UnframeError::ContentEncoding);
    }
    if body.is_empty() {
        return Err(UnframeError::Empty);
    }
    if confluent {
        return Ok(Form::Framed(wire::unframe(body)?.0));
    }
    if let Some(id) = schema_id(head)? {
        return Ok(Form::BareOf(id));
    }
    match wire::unframe(body) {
        Ok((id, _)) => Ok(Form::BareOrFramed(id)),
        Err(FrameError::TooShort { .. } | FrameError::WrongMagic { .. }) => Ok(Form::Bare),
    }
}

/// Whether the content type is the one of the Confluent wire format, not a plain one of Avro. Parameters are ignored, case too.
fn is_confluent(head: &HeaderMap) -> Result<bool, UnframeError> {
    let mut values = head.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(UnframeError::ContentType);
    };
    let media_type = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if media_type.eq_ignore_ascii_case(CONFLUENT.as_bytes()) {
        return Ok(true);
    }
    match AVRO.iter().any(|known| media_type.eq_ignore_ascii_case(known.as_bytes())) {
        true => Ok(false),
        false => Err(UnframeError::ContentType),
    }
}

fn schema_id(head: &HeaderMap) -> Result<Option<SchemaId>, UnframeError> {
    let mut values = head.get_all(SCHEMA_ID).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let digits = value.to_str().map_err(|_| UnframeError::SchemaIdHeader)?;
            let id = digits.parse().map_err(|_| UnframeError::SchemaIdHeader)?;
            Ok(Some(SchemaId(id)))
        }
        (Some(_), Some(_)) => Err(UnframeError::SchemaIdHeader),
    }
}

#[cfg(test)]
mod tests;
