//! Determines the form in which a body holds its events: the third stage, `… → authenticate → unframe → validate → …`.
//! Pure.
//!
//! | `Content-Type` | the body is |
//! | --- | --- |
//! | `application/vnd.confluent.avro` | in the Confluent wire format: `00`, a 4-byte schema id, the datum |
//! | `application/vnd.apache.avro+single-object` | in Avro's single-object encoding: `C3 01`, a fingerprint of 8 bytes,
//! the datum |
//! | `application/vnd.apache.avro+container` | an object container file: `Obj 01`, many datums with their schema |
//! | `application/avro`, `avro/binary`, `application/vnd.apache.avro+binary`, with the header `X-Schema-Id` or
//! `X-Schema-Version` | a bare datum of that schema |
//! | the same without them | a bare datum of the source's current schema, or one of the forms above, see below |
//!
//! A bare datum may begin with any bytes (`00` is an empty string, a null, the number 0), so the first bytes prove
//! nothing. If the content type leaves the form open, and the body begins like another form:
//!
//! 1. If the body is a datum of the current schema, to its last byte, it counts as bare.
//! 2. Otherwise, if it is valid in the other form, by a schema that the registry knows, it counts as that form.
//! 3. If it is neither, it is refused, with the reasons.
//! 4. If it is both, as far as is known without asking the registry, it is refused as ambiguous rather than guessed at.
//!    This affects only an event that happens to be valid in two forms from end to end. Its sender can name the form by
//!    the content type, or the schema by `X-Schema-Id`.

use avro::CONTAINER_MAGIC;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use registry::wire::{self, FrameError, SchemaId};

/// The header that names the schema of a bare datum by its id.
pub(crate) const SCHEMA_ID: HeaderName = HeaderName::from_static("x-schema-id");

/// The header that names the schema of a bare datum by its version in the source's subject.
pub(crate) const SCHEMA_VERSION: HeaderName = HeaderName::from_static("x-schema-version");

/// The media types and their forms. No registry of media types has one for the forms with a frame; these are Penstock's
/// own.
const MEDIA_TYPES: [(&str, Media); 6] = [
    ("application/avro", Media::Open),
    ("avro/binary", Media::Open),
    ("application/vnd.apache.avro+binary", Media::Open),
    ("application/vnd.confluent.avro", Media::Confluent),
    ("application/vnd.apache.avro+single-object", Media::SingleObject),
    ("application/vnd.apache.avro+container", Media::Container),
];

/// The first bytes of a message in single-object encoding ("Single-object encoding" in the Avro specification 1.12).
const SINGLE_OBJECT_MAGIC: [u8; 2] = [0xc3, 0x01];

/// Bytes before the datum in single-object encoding.
pub(crate) const SINGLE_OBJECT_LEN: usize = 10;

/// What a content type says about the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    Open,
    Confluent,
    SingleObject,
    Container,
}

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A bare datum of the source's current schema.
    Bare,
    /// A bare datum of the schema of this id.
    BareOf(SchemaId),
    /// A bare datum of the schema of this version of the source's subject.
    BareOfVersion(u32),
    /// This form, because the content type says so.
    Framed(Framing),
    /// [`Form::Bare`], or else [`Form::Framed`]: see the rule above.
    BareOrFramed(Framing),
}

/// A form in which the body itself names its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// The Confluent wire format with the schema of this id.
    Confluent(SchemaId),
    /// Single-object encoding with the schema of this fingerprint.
    SingleObject(u64),
    /// An object container file.
    Container,
}

/// Which headers of a source's requests may decide how a body is read.
///
/// If a signature covers only the body, anybody who has seen a request could send it again with other headers. So
/// headers that are not signed do not count: the form of the body follows from its bytes, and unsigned headers that
/// could not be ignored are refused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// `content_types`: additional media types, whose bodies may have any form.
    content_types: Vec<String>,
    /// The decisive headers that are not covered by the signature.
    unsigned: Vec<HeaderName>,
}

/// The headers that decide how a body is read.
const DECISIVE: [HeaderName; 4] = [CONTENT_TYPE, CONTENT_ENCODING, SCHEMA_ID, SCHEMA_VERSION];

impl Reading {
    /// Creates the rules for `source`.
    pub(crate) fn new(source: &crate::config::Source) -> Self {
        let unsigned = DECISIVE.into_iter().filter(|header| !source.auth.covers(header.as_str())).collect();
        Self { content_types: source.content_types.clone(), unsigned }
    }

    /// Returns whether this header counts.
    pub(crate) fn trusts(&self, header: &HeaderName) -> bool {
        !self.unsigned.contains(header)
    }
}

/// Says why the form of a body cannot be determined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnframeError {
    /// The `Content-Type` is missing, ambiguous, or not that of Avro.
    #[error(
        "the Content-Type must be one that this webhook accepts, such as application/avro, avro/binary, \
         application/vnd.apache.avro+binary, application/vnd.confluent.avro, application/vnd.apache.avro+single-object \
         or application/vnd.apache.avro+container"
    )]
    ContentType,
    /// There is no body.
    #[error("the body is empty: at least one Avro datum is expected")]
    Empty,
    /// A header decides how the body is read, but the signature does not cover it.
    #[error("the header {0} is not covered by the signature, so anyone may have set it")]
    Unsigned(&'static str),
    /// `X-Schema-Id` is not an id.
    #[error("the header X-Schema-Id must be one whole number from 0 to 4294967295")]
    SchemaIdHeader,
    /// `X-Schema-Version` is not a version.
    #[error("the header X-Schema-Version must be one whole number from 1 to 4294967295")]
    SchemaVersionHeader,
    /// Both headers are present.
    #[error("only one of the headers X-Schema-Id and X-Schema-Version is allowed")]
    SchemaHeaders,
    /// The content type says Confluent wire format, but the body is not in it.
    #[error("{0}")]
    Frame(#[from] FrameError),
    /// The content type says single-object encoding, but the body is not in it.
    #[error("the body does not begin with 0xc3 0x01 and a fingerprint of 8 bytes: not in single-object encoding")]
    SingleObject,
    /// The content type says object container file, but the body is not one.
    #[error("the body does not begin with Obj and 0x01: not an object container file")]
    Container,
}

/// Returns the form of `body`, from its head and its first bytes.
///
/// # Errors
/// [`UnframeError`].
pub(crate) fn unframe(head: &HeaderMap, body: &[u8], reading: &Reading) -> Result<Form, UnframeError> {
    let media = media(head, reading)?;
    if body.is_empty() {
        return Err(UnframeError::Empty);
    }
    match media {
        Media::Confluent => return Ok(Form::Framed(Framing::Confluent(wire::unframe(body)?.0))),
        Media::SingleObject => {
            let fingerprint = fingerprint(body).ok_or(UnframeError::SingleObject)?;
            return Ok(Form::Framed(Framing::SingleObject(fingerprint)));
        }
        Media::Container if !body.starts_with(&CONTAINER_MAGIC) => return Err(UnframeError::Container),
        Media::Container => return Ok(Form::Framed(Framing::Container)),
        Media::Open => {}
    }
    for (header, name) in [(SCHEMA_ID, "X-Schema-Id"), (SCHEMA_VERSION, "X-Schema-Version")] {
        if head.contains_key(&header) && !reading.trusts(&header) {
            return Err(UnframeError::Unsigned(name));
        }
    }
    if let Some(pinned) = pinned(head)? {
        return Ok(pinned);
    }
    Ok(match framing(body) {
        Some(framing) => Form::BareOrFramed(framing),
        None => Form::Bare,
    })
}

/// Returns the form that the first bytes of `body` suggest, if it is not a bare datum.
fn framing(body: &[u8]) -> Option<Framing> {
    if body.starts_with(&CONTAINER_MAGIC) {
        return Some(Framing::Container);
    }
    if let Some(fingerprint) = fingerprint(body) {
        return Some(Framing::SingleObject(fingerprint));
    }
    match wire::unframe(body) {
        Ok((id, _)) => Some(Framing::Confluent(id)),
        Err(FrameError::TooShort { .. } | FrameError::WrongMagic { .. }) => None,
    }
}

/// Returns the fingerprint in the frame of a single-object encoding. It is in little-endian order.
fn fingerprint(body: &[u8]) -> Option<u64> {
    let fingerprint = body.strip_prefix(&SINGLE_OBJECT_MAGIC)?.first_chunk()?;
    Some(u64::from_le_bytes(*fingerprint))
}

/// Returns what the content type says. Ignores parameters and case. A content type that the signature does not cover
/// only says that the body is Avro.
fn media(head: &HeaderMap, reading: &Reading) -> Result<Media, UnframeError> {
    let values = head.get_all(CONTENT_TYPE).iter().map(HeaderValue::as_bytes);
    // Proxies join two headers of the same name with a comma. A quoted parameter may hold one.
    let listed = values.flat_map(|value| {
        let is_quoted = value.contains(&b'"');
        value.split(move |byte| *byte == b',' && !is_quoted)
    });
    let mut media_types =
        listed.map(|listed| listed.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii());
    let media_type = media_types.next().ok_or(UnframeError::ContentType)?;
    // Some clients set the header twice. Two different types are refused, because either could be meant.
    if media_types.any(|other| !other.eq_ignore_ascii_case(media_type)) {
        return Err(UnframeError::ContentType);
    }
    let known = MEDIA_TYPES.iter().find(|(known, _)| media_type.eq_ignore_ascii_case(known.as_bytes()));
    let listed = || reading.content_types.iter().any(|listed| media_type.eq_ignore_ascii_case(listed.as_bytes()));
    match known {
        Some((_, media)) if reading.trusts(&CONTENT_TYPE) => Ok(*media),
        Some(_) => Ok(Media::Open),
        None if listed() => Ok(Media::Open),
        None => Err(UnframeError::ContentType),
    }
}

/// Returns the form of a bare datum whose schema a header names.
fn pinned(head: &HeaderMap) -> Result<Option<Form>, UnframeError> {
    let id = number(head, &SCHEMA_ID).map_err(|()| UnframeError::SchemaIdHeader)?;
    let version = number(head, &SCHEMA_VERSION).map_err(|()| UnframeError::SchemaVersionHeader)?;
    match (id, version) {
        (Some(_), Some(_)) => Err(UnframeError::SchemaHeaders),
        (Some(id), None) => Ok(Some(Form::BareOf(SchemaId(id)))),
        (None, Some(0)) => Err(UnframeError::SchemaVersionHeader),
        (None, Some(version)) => Ok(Some(Form::BareOfVersion(version))),
        (None, None) => Ok(None),
    }
}

/// Returns the number in the header `name`, if the header is present.
fn number(head: &HeaderMap, name: &HeaderName) -> Result<Option<u32>, ()> {
    let mut values = head.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().ok().and_then(|digits| digits.parse().ok()).map(Some).ok_or(()),
        (Some(_), Some(_)) => Err(()),
    }
}

#[cfg(test)]
mod tests;
