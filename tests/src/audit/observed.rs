//! What was stored at the end: records, documents, dead letters.

use serde_json::{Map, Value};

/// The field of a document that holds the timestamp of its record.
pub(super) const INGESTED_AT: &str = "_ingested_at";
/// The Confluent frame: a zero byte and the schema's id.
const FRAME: usize = 5;

/// A record in the topic of the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written<'a> {
    /// The key.
    pub id: &'a str,
    /// The value, with its frame.
    pub value: &'a [u8],
    /// Milliseconds since the Unix epoch.
    pub timestamp: i64,
}

/// A document in one backing index.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The backing index.
    pub index: String,
    /// `_id`.
    pub id: String,
    /// `_source`.
    pub source: Map<String, Value>,
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter<'a> {
    /// The key.
    pub id: &'a str,
    /// The value, with its frame.
    pub value: &'a [u8],
    /// `dl.error-type`.
    pub error_type: &'a str,
}

/// Returns the bytes after the frame, if there is a frame.
pub(super) fn datum(value: &[u8]) -> Option<&[u8]> {
    value.first().filter(|magic| **magic == 0).and(value.get(FRAME..))
}
