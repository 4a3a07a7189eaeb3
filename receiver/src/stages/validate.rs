//! Validates that a body is an event: the fourth stage, `… → unframe → validate → produce`. Pure.
//!
//! Only this module can create an [`Event`], and [`crate::stages::produce`] accepts nothing else. So an event that was
//! not read to its last byte with its schema cannot reach Kafka.

use std::borrow::Cow;

use avro::{DecodeError, Limits, Read};
use registry::wire::{self, SchemaId};

use crate::message::Writer;

pub(crate) use batch::{Batch, BatchError, BatchLimits, validate_container};

mod batch;

/// The bytes of an invalid event's key to keep. A key may be as long as a body.
const KEY_SHOWN: usize = 1_024;

/// An event that is valid by its schema.
#[derive(Clone, Debug)]
pub(crate) struct Event<'a> {
    value: &'a [u8],
    key: Option<Cow<'a, str>>,
    odd_uuids: u32,
}

/// Says why bytes are not an event.
#[derive(Clone, Debug)]
pub(crate) struct Invalid {
    /// The schema that the bytes were read with.
    pub(crate) schema: SchemaId,
    /// What is wrong, and where.
    pub(crate) error: DecodeError,
    /// The first [`KEY_SHOWN`] bytes of the event's key, if it comes before the error.
    pub(crate) key: Option<String>,
}

impl Event<'_> {
    /// Returns the record's value: the frame, then the datum as it was received (P2).
    pub(crate) fn value(&self) -> &[u8] {
        self.value
    }

    /// Returns the bytes of the record's key and value.
    pub(crate) fn len(&self) -> usize {
        self.value.len() + self.key.as_deref().map_or(0, str::len)
    }

    /// Returns the same event with a borrowed key, which is cheap to clone.
    pub(crate) fn borrowed(&self) -> Event<'_> {
        Event { value: self.value, key: self.key.as_deref().map(Cow::Borrowed), odd_uuids: self.odd_uuids }
    }

    /// Returns the record's key: the text of the source's `key_field`, if there is one and it is not null.
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Returns the number of texts in `uuid` fields that are not a UUID. For the events of a file, the file counts
    /// them.
    pub(crate) fn odd_uuids(&self) -> u32 {
        self.odd_uuids
    }
}

/// Reads `framed` (a frame with the id of `writer`, then a datum) with the schema of `writer`, and finds the key on the
/// way.
///
/// # Errors
/// [`Invalid`], with the field and the byte.
pub(crate) fn validate<'a>(framed: &'a [u8], writer: &Writer, limits: Limits) -> Result<Event<'a>, Invalid> {
    debug_assert!(framed.starts_with(&wire::frame(writer.id)));
    let datum = framed.get(wire::FRAME_LEN..).unwrap_or_default();
    let Read { key, odd_uuids, .. } = read(datum, writer, limits)?;
    Ok(Event { value: framed, key, odd_uuids })
}

/// Checks that `datum` is a datum of the schema of `writer`, to its last byte.
///
/// # Errors
/// [`Invalid`], with the field and the byte.
pub(crate) fn fits(datum: &[u8], writer: &Writer, limits: Limits) -> Result<(), Invalid> {
    read(datum, writer, limits).map(|_read| ())
}

fn read<'a>(datum: &'a [u8], writer: &Writer, limits: Limits) -> Result<Read<'a>, Invalid> {
    let read = avro::validate_whole(&writer.schema, datum, limits, writer.key.as_ref(), writer.uuids);
    read.map_err(|error| invalid(datum, writer, limits, error))
}

/// Returns what is wrong with `datum`, and its key if that can be read.
#[cold]
fn invalid(datum: &[u8], writer: &Writer, limits: Limits, error: DecodeError) -> Invalid {
    let key = writer.key.as_ref().and_then(|path| avro::key_of_invalid(&writer.schema, datum, limits, path));
    let key = key.map(|key| key.get(..key.floor_char_boundary(KEY_SHOWN)).unwrap_or_default().to_owned());
    Invalid { schema: writer.id, error, key }
}

#[cfg(test)]
mod tests;
