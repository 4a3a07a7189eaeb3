//! Writes values as JSON. The rules for each Avro type are in `docs/document-rules.md`: change both together.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::calendar;
use super::decimal;
use super::hide::Hide;
use super::member::Member;
use super::node::{Record, Symbol, Unit};
use super::sink::{Scalar, Sink};
use super::text::{self, Escapes, Stored, Text};
use super::uuid::{self, Uuids};

/// The options for converting Avro to JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonRules {
    /// `timestamps`: how `timestamp-*` and `local-timestamp-*` are written.
    pub timestamps: Timestamps,
    /// `decimals`: how `decimal` and `big-decimal` are written.
    pub decimals: Decimals,
    /// `event_type`: whether a document contains the name of the event's type as `_event_type`.
    pub event_type: EventType,
    /// Whether text and bytes in a map that exceed the limits of an `OpenSearch` index are written as a list of pieces.
    /// Determined by the server, not by the config.
    pub pieces_in_maps: bool,
    /// `uuids`: whether text of a `uuid` that is not a UUID is accepted.
    pub uuids: Uuids,
}

/// The content of the field `_event_type`, for events that are records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// The document has no such field.
    #[default]
    None,
    /// The record's name without its namespace: `Call`.
    Name,
    /// The record's name with its namespace: `com.example.Call`.
    Fullname,
}

/// How timestamps are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Timestamps {
    /// `"2026-01-02T03:04:05.678Z"`, with 3, 6 or 9 digits depending on the unit; without the Z if the time is local.
    #[default]
    Rfc3339,
    /// Milliseconds since 1970 as a number, with microseconds and nanoseconds as the fraction: `1767323045678.901`.
    Epoch,
}

/// How decimals are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decimals {
    /// `"-12.340"`: exact for every reader.
    #[default]
    String,
    /// `-12.340`: exact as text, but most JSON readers convert it to a double.
    Number,
}

/// The most bytes of a piece. With the longest keys, a piece stays within Lucene's limit of 32,766 bytes for a term,
/// and leaves the rest to the names of fields.
const PIECE: usize = 12_288;
/// The most bytes whose base64 is a piece: three bytes become four characters.
const PIECE_OF_BYTES: usize = PIECE / 4 * 3;
/// The longest number that servers accept, in digits (Jackson, `StreamReadConstraints`).
const MAX_NUMBER: usize = 1_000;

/// Writes the values of a walk to a buffer.
#[derive(Debug)]
pub(super) struct JsonSink<'o> {
    out: &'o mut Vec<u8>,
    rules: JsonRules,
    /// How many hidden values surround the current one. Hidden values are not cut into pieces, so that their
    /// replacements do not depend on the server.
    hidden: u32,
}

impl<'o> JsonSink<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>, rules: JsonRules) -> Self {
        Self { out, rules, hidden: 0 }
    }

    /// Returns what was written since `mark`.
    pub(super) fn since(&self, mark: usize) -> &[u8] {
        self.out.get(mark..).unwrap_or_default()
    }

    fn date(&mut self, days: i32) {
        if !calendar::write_date(days.into(), self.out) {
            write_epoch_millis(i64::from(days) * 86_400_000, Unit::Millis, self.out);
        }
    }

    fn timestamp(&mut self, value: i64, unit: Unit, utc: bool) {
        if self.rules.timestamps == Timestamps::Rfc3339 && calendar::write_timestamp(value, unit, utc, self.out) {
            return;
        }
        write_epoch_millis(value, unit, self.out);
    }

    fn decimal(&mut self, unscaled: &[u8], scale: i64) {
        match self.rules.decimals {
            Decimals::String => {
                self.out.push(b'"');
                decimal::write(unscaled, scale, self.out);
                self.out.push(b'"');
            }
            Decimals::Number => {
                let start = self.out.len();
                decimal::write(unscaled, scale, self.out);
                if self.out.len() - start > MAX_NUMBER {
                    self.out.insert(start, b'"');
                    self.out.push(b'"');
                }
            }
        }
    }

    /// Appends a list with the output of `write` for each piece.
    fn pieces<'p>(&mut self, pieces: impl Iterator<Item = &'p [u8]>, write: impl Fn(&'p [u8], &mut Vec<u8>)) {
        let mut separator = b'[';
        for piece in pieces {
            self.out.push(separator);
            write(piece, self.out);
            separator = b',';
        }
        self.out.push(b']');
    }

    fn duration(&mut self, duration: [u8; 12]) {
        let (parts, _) = duration.as_chunks::<4>();
        let names = ["{\"months\":", ",\"days\":", ",\"milliseconds\":"];
        for (name, part) in names.iter().zip(parts) {
            self.out.extend_from_slice(name.as_bytes());
            write_integer(u32::from_le_bytes(*part), self.out);
        }
        self.out.push(b'}');
    }
}

impl<'a> Sink<'a> for JsonSink<'_> {
    #[inline]
    fn raw(&mut self, json: &[u8]) {
        self.out.extend_from_slice(json);
    }

    #[inline(always)]
    fn scalar(&mut self, value: Scalar<'a>) {
        match value {
            Scalar::Null => self.out.extend_from_slice(b"null"),
            Scalar::Boolean(true) => self.out.extend_from_slice(b"true"),
            Scalar::Boolean(false) => self.out.extend_from_slice(b"false"),
            Scalar::Int(value) => write_integer(value, self.out),
            Scalar::Long(value) => write_integer(value, self.out),
            Scalar::Float(value) => write_float(value, value.is_finite(), self.out),
            Scalar::Double(value) => write_float(value, value.is_finite(), self.out),
            Scalar::Bytes(bytes) => write_base64(bytes, self.out),
            Scalar::Text(text) | Scalar::UuidText(text) => text::write_json(text, self.out),
            Scalar::Decimal(unscaled, scale) => self.decimal(unscaled, scale),
            Scalar::Uuid(uuid) => {
                text::write_json(Text { bytes: &uuid::print(uuid), escapes: Escapes::None }, self.out)
            }
            Scalar::Date(days) => self.date(days),
            Scalar::Time(value, unit) => {
                if !calendar::write_time(value, unit, self.out) {
                    write_integer(value, self.out);
                }
            }
            Scalar::Timestamp(value, unit, utc) => self.timestamp(value, unit, utc),
            Scalar::Duration(duration) => self.duration(duration),
        }
    }

    #[inline]
    fn symbol(&mut self, symbol: &Symbol) {
        self.out.extend_from_slice(&symbol.json);
    }

    #[inline]
    fn member(&mut self, member: &Member, is_first: bool) {
        member.write(is_first, self.out);
    }

    #[inline]
    fn text(&mut self, text: Stored<'a>) -> Result<(), usize> {
        text::write_stored(text, self.out)?;
        Ok(())
    }

    #[inline]
    fn text_in_map(&mut self, text: Stored<'a>) -> Result<(), usize> {
        if text.bytes.len() > PIECE {
            self.in_map(Scalar::Text(text::check(text.bytes)?));
            return Ok(());
        }
        self.text(text)
    }

    #[inline]
    fn key(&mut self, key: Stored<'a>) -> Result<Escapes, usize> {
        let escapes = text::write_stored(key, self.out)?;
        self.out.push(b':');
        Ok(escapes)
    }

    fn root(&mut self, record: &Record) -> bool {
        let name = match self.rules.event_type {
            EventType::None => return false,
            EventType::Name => record.name.rsplit('.').next().unwrap_or_default(),
            EventType::Fullname => &record.name,
        };
        self.out.extend_from_slice(b"\"_event_type\":");
        text::write_json(Text { bytes: name.as_bytes(), escapes: Escapes::Possible }, self.out);
        true
    }

    fn mark(&mut self) -> usize {
        self.hidden += 1;
        self.out.len()
    }

    fn hide(&mut self, mark: usize, how: &Hide) {
        self.hidden -= 1;
        how.apply(mark, self.out);
    }

    // Not inlined: `value` calls itself at each level, and its stack frame must stay small.
    #[inline(never)]
    fn in_map(&mut self, value: Scalar<'a>) {
        match value {
            other if !self.rules.pieces_in_maps || self.hidden > 0 => self.scalar(other),
            Scalar::Text(Text { bytes, escapes }) if bytes.len() > PIECE => {
                self.pieces(text::pieces(bytes, PIECE), |bytes, out| text::write_json(Text { bytes, escapes }, out));
            }
            Scalar::Bytes(bytes) if bytes.len() > PIECE_OF_BYTES => {
                self.pieces(bytes.chunks(PIECE_OF_BYTES), write_base64);
            }
            other => self.scalar(other),
        }
    }
}

fn write_integer<I: itoa::Integer>(value: I, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes the shortest text that reads back as the same number of the same width, or null if JSON has no such number.
fn write_float<F: zmij::Float>(value: F, finite: bool, out: &mut Vec<u8>) {
    if finite {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, b'=');
    if let Some(room) = out.get_mut(start..)
        && let Err(error) = STANDARD.encode_slice(bytes, room)
    {
        debug_assert!(false, "base64 takes four bytes for three: {error}");
    }
    out.push(b'"');
}

/// Writes a time as milliseconds since 1970, with smaller parts as the fraction. Elasticsearch's `epoch_millis` can
/// read it.
fn write_epoch_millis(value: i64, unit: Unit, out: &mut Vec<u8>) {
    let per_milli = unit.per_second() / 1_000;
    if value < 0 {
        out.push(b'-');
    }
    let (millis, fraction) = (value / per_milli, value % per_milli);
    write_integer(millis.unsigned_abs(), out);
    if unit == Unit::Millis {
        return;
    }
    out.push(b'.');
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(fraction.unsigned_abs()).as_bytes();
    out.resize(out.len() + (unit.digits() - 3).saturating_sub(digits.len()), b'0');
    out.extend_from_slice(digits);
}
