//! Reads Avro bytes once and strictly, without building a tree, copying data or allocating by a length that a datum
//! claims.
//!
//! A schema is compiled once ([`Schema`]) to a flat arena of nodes. The same walk over a datum checks it ([`validate`])
//! and converts it to JSON ([`write_members`]), so the indexer can write whatever the receiver accepts. The rules for
//! JSON are in `docs/document-rules.md`; [`DecodeErrorKind`] lists what is refused.
//!
//! A new Avro type needs its node in `node`, `compile`, `canonical` and `meaning`, its size in `sizes`, its reading in
//! `walk`, its printing in `json`, its field in `outline`, and its line in the table of rules.
//!
//! A new rule for fields goes to `rules`, its effect on a type to `plan`, and its effect on a value to `hide`.

mod calendar;
mod canonical;
mod compile;
mod container;
mod decimal;
mod definitions;
mod digest;
mod error;
mod fault;
mod field_path;
mod hex_digits;
mod hide;
mod json;
mod keys;
mod logical;
mod meaning;
mod member;
mod names;
mod node;
mod outline;
mod plan;
mod probe;
mod raw;
mod reader;
mod rules;
mod schema;
mod sink;
mod sizes;
mod text;
mod uuid;
mod walk;
mod way;

use std::borrow::Cow;

pub use self::container::{Block, CONTAINER_MAGIC, Container, ContainerError, ContainerErrorKind};
pub use self::error::{DecodeError, DecodeErrorKind};
pub use self::field_path::{FieldPath, FoundField};
pub use self::json::{Decimals, EventType, JsonRules, Timestamps};
pub use self::meaning::Meaning;
pub use self::outline::{FieldType, Kind, Outline, TypeRef};
pub use self::rules::{FieldRule, FieldRules, RuleError};
pub use self::schema::{Ruled, Schema};
pub use self::uuid::Uuids;

use self::digest::DigestSink;
use self::fault::DecodeFailure;
use self::field_path::Capture;
use self::json::JsonSink;
use self::member::Member;
use self::node::Symbol;
use self::probe::Probe;
use self::reader::Reader;
use self::sink::{Scalar, Sink};
use self::text::{Escapes, Stored, Text};
use self::walk::{FieldPosition, Walk};
use self::way::Way;

/// Limits the contents of one datum.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How deep records, arrays and maps may be nested, including the outermost. Never more than 200.
    pub max_depth: u16,
    /// The most array items and map entries in total. Items that take no bytes count once for each value in them.
    pub max_items: u32,
    /// The most values of all kinds, including fields, where each 32 bytes of a field name count as one more. A type
    /// may hold any number of fields that take no bytes, so neither the size of a datum nor its items limit the work.
    pub max_values: u32,
}

/// Says why a schema cannot be used: it is not Avro, defines a type twice, uses an undefined type, contains a record
/// without end, or exceeds a limit (a decimal of more than 1,000 digits after the point, more than 1,000 fields that
/// take no bytes, nesting of more than 128 levels, names of more than 512 bytes, more than 100 fields with the same
/// name in a document, 4 MiB of text).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaError(pub String);

/// The findings about a valid datum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read<'a> {
    /// Where the datum ends, in bytes from its beginning.
    pub end: usize,
    /// The text of the key, if requested and not null. Borrowed from the datum if it is a string.
    pub key: Option<Cow<'a, str>>,
    /// How many texts of a `uuid` are not UUIDs.
    pub odd_uuids: u32,
    /// How many values it holds, as [`Limits::max_values`] and [`Limits::max_items`] count them. For callers that read
    /// many datums in a row.
    pub values: u64,
}

/// Reads all of `datum` with `schema` and builds nothing: every byte must be used, every string be UTF-8, every index
/// in range. Returns the text of the field `key`, if requested and not null, borrowed from `datum` if it is a string.
///
/// # Errors
/// [`DecodeError`] with the field and the byte.
pub fn validate<'a>(
    schema: &Schema,
    datum: &'a [u8],
    limits: Limits,
    key: Option<&FieldPath>,
) -> Result<Option<Cow<'a, str>>, DecodeError> {
    validate_whole(schema, datum, limits, key, Uuids::Any).map(|read| read.key)
}

/// Reads like [`validate`]. `uuids` decides about text of a `uuid` that is not a UUID.
///
/// # Errors
/// [`DecodeError`] with the field and the byte.
pub fn validate_whole<'a>(
    schema: &Schema,
    datum: &'a [u8],
    limits: Limits,
    key: Option<&FieldPath>,
    uuids: Uuids,
) -> Result<Read<'a>, DecodeError> {
    read(schema, datum, limits, key, uuids, true)
}

/// Reads like [`validate_whole`], for a datum that others follow in `data`.
///
/// # Errors
/// [`DecodeError`] with the field and the byte.
pub fn validate_first<'a>(
    schema: &Schema,
    data: &'a [u8],
    limits: Limits,
    key: Option<&FieldPath>,
    uuids: Uuids,
) -> Result<Read<'a>, DecodeError> {
    read(schema, data, limits, key, uuids, false)
}

/// Reads the datum at the beginning of `data`; if `is_whole`, nothing may follow it.
#[inline]
fn read<'a>(
    schema: &Schema,
    data: &'a [u8],
    limits: Limits,
    key: Option<&FieldPath>,
    uuids: Uuids,
    is_whole: bool,
) -> Result<Read<'a>, DecodeError> {
    let mut walk = Walk::new(&schema.nodes, Reader::new(data, 0), limits, NoSink).with_uuids(uuids);
    let field = if is_whole {
        walk.datum(schema.root, way(key))?
    } else {
        walk.value(schema.root, way(key))?;
        walk.found()
    };
    let (end, odd_uuids, values) = (walk.position(), walk.odd_uuids, walk.spent());
    let key = capture(schema, data, limits, field)?.map(FoundField::into_text);
    Ok(Read { end, key, odd_uuids, values })
}

/// Returns the text of the field `key` of an invalid datum, if the field comes before the failure and is not null. Used
/// to identify the event.
pub fn key_of_invalid<'a>(schema: &Schema, datum: &'a [u8], limits: Limits, key: &FieldPath) -> Option<Cow<'a, str>> {
    let mut walk = Walk::new(&schema.nodes, Reader::new(datum, 0), limits, NoSink);
    // The walk fails either before or after it reaches the key.
    let _failure = walk.datum(schema.root, way(Some(key))).err();
    let field = walk.found();
    capture(schema, datum, limits, field).ok().flatten().map(FoundField::into_text)
}

/// Appends the fields of the datum's record as JSON members (`"a":1,"b":2`, without braces) to `out`, by the default
/// rules. For a union, its branch counts. A datum that is not a record becomes the single member `"value"`. As strict
/// as [`validate`]. On an error, `out` is unchanged.
///
/// # Errors
/// [`DecodeError`] with the field and the byte.
pub fn write_members(schema: &Schema, datum: &[u8], limits: Limits, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    write_members_and_find(schema, datum, limits, JsonRules::default(), None, out).map(|_| ())
}

/// Writes like [`write_members`], by `rules`. Returns the value of the field `wanted`, if requested and not null.
///
/// # Errors
/// [`DecodeError`] with the field and the byte.
pub fn write_members_and_find<'a>(
    schema: &Schema,
    datum: &'a [u8],
    limits: Limits,
    rules: JsonRules,
    wanted: Option<&FieldPath>,
    out: &mut Vec<u8>,
) -> Result<Option<FoundField<'a>>, DecodeError> {
    write_members_and_find_both(schema, datum, limits, rules, wanted, out).map(|[first, _]| first)
}

/// Works like [`write_members_and_find`], for a path to two fields ([`FieldPath::both`]): returns the values of both.
///
/// # Errors
/// [`DecodeError`] with the field and the byte.
pub fn write_members_and_find_both<'a>(
    schema: &Schema,
    datum: &'a [u8],
    limits: Limits,
    rules: JsonRules,
    wanted: Option<&FieldPath>,
    out: &mut Vec<u8>,
) -> Result<[Option<FoundField<'a>>; 2], DecodeError> {
    let start = out.len();
    let sink = JsonSink::new(out, rules);
    let mut walk = Walk::new(&schema.nodes, Reader::new(datum, 0), limits, sink).with_uuids(rules.uuids);
    match walk.members(schema.root, way(wanted)) {
        Ok([first, second]) => Ok([capture(schema, datum, limits, first)?, capture(schema, datum, limits, second)?]),
        Err(fault) => {
            out.truncate(start);
            Err(if schema.is_discreet { fault.discreet() } else { fault }.into())
        }
    }
}

/// Returns whether `text` is the value of a field of `datum` that a rule of `schema` hides.
pub fn is_hidden(schema: &Schema, datum: &[u8], limits: Limits, text: &[u8]) -> bool {
    let mut out = Vec::new();
    let probe = Probe { json: JsonSink::new(&mut out, JsonRules::default()), wanted: text, is_met: false };
    let mut walk = Walk::new(&schema.nodes, Reader::new(datum, 0), limits, probe);
    // If the datum is invalid, the part before the fault counts.
    let _failure = walk.members(schema.root, None).err();
    walk.into_sink().is_met
}

/// Returns the SHA-256 of the output of [`write_members`] for `datum`. Holds no document, which may be much larger than
/// the datum.
///
/// # Errors
/// [`DecodeError`] with the field and the byte.
pub fn digest_members(schema: &Schema, datum: &[u8], limits: Limits) -> Result<[u8; 32], DecodeError> {
    let mut walk = Walk::new(&schema.nodes, Reader::new(datum, 0), limits, DigestSink::default());
    walk.members(schema.root, None)?;
    Ok(walk.into_sink().finish())
}

/// Appends `text` as a JSON string, quotes included.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    // The text is UTF-8 already; this finds out whether something must be escaped.
    let text = text::check(bytes).unwrap_or(Text { bytes, escapes: Escapes::Possible });
    text::write_json(text, out);
}

/// Appends a time in milliseconds since the Unix epoch by the default rules: an RFC 3339 string in UTC, or the plain
/// number outside the years 0000 to 9999.
pub fn write_timestamp_millis(millis: i64, out: &mut Vec<u8>) {
    let mut sink = JsonSink::new(out, JsonRules::default());
    sink.scalar(Scalar::Timestamp(millis, node::Unit::Millis, true));
}

fn way(path: Option<&FieldPath>) -> Option<&Way> {
    path.map(|path| &path.way)
}

/// Reads the field at `field` again to capture its value.
fn capture<'a>(
    schema: &Schema,
    datum: &'a [u8],
    limits: Limits,
    field: Option<FieldPosition>,
) -> Result<Option<FoundField<'a>>, DecodeFailure> {
    let Some(field) = field else { return Ok(None) };
    let mut walk = Walk::new(&schema.nodes, Reader::new(datum, field.position), limits, Capture::default());
    walk.value(field.node, None)?;
    Ok(walk.into_sink().found)
}

/// Discards all values.
struct NoSink;

impl<'a> Sink<'a> for NoSink {
    #[inline]
    fn raw(&mut self, _json: &[u8]) {}
    #[inline]
    fn scalar(&mut self, _value: Scalar<'a>) {}
    #[inline]
    fn symbol(&mut self, _symbol: &Symbol) {}
    #[inline]
    fn member(&mut self, _member: &Member, _is_first: bool) {}
    #[inline]
    fn key(&mut self, key: Stored<'a>) -> Result<Escapes, usize> {
        text::check(key.bytes).map(|text| text.escapes)
    }
}

#[cfg(test)]
mod tests;
