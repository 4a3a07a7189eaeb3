//! The output of a walk: each value, in the order of the datum.

use super::hide::Hide;
use super::member::Member;
use super::node::{Record, Symbol, Unit};
use super::text::{self, Escapes, Stored, Text};

/// Receives the values of a walk, in order.
pub(crate) trait Sink<'a> {
    /// Takes JSON that does not depend on the datum: braces, commas, field names.
    fn raw(&mut self, json: &[u8]);
    /// Takes a value without parts.
    fn scalar(&mut self, value: Scalar<'a>);
    /// Takes a symbol of an enum.
    fn symbol(&mut self, symbol: &Symbol);
    /// Takes the name of a field; its value follows. No comma precedes it if the field `is_first`.
    fn member(&mut self, member: &Member, is_first: bool) {
        self.raw(&member.json()[usize::from(is_first)..]);
    }
    /// Takes a string. If it is not UTF-8, returns how many bytes are valid.
    #[inline]
    fn text(&mut self, text: Stored<'a>) -> Result<(), usize> {
        self.scalar(Scalar::Text(text::check(text.bytes)?));
        Ok(())
    }
    /// Takes a string that is somewhere in a map, like [`Sink::text`].
    #[inline]
    fn text_in_map(&mut self, text: Stored<'a>) -> Result<(), usize> {
        self.in_map(Scalar::Text(text::check(text.bytes)?));
        Ok(())
    }
    /// Takes the key of a map entry; its value follows. Returns whether JSON needs escapes in it. If it is not UTF-8,
    /// returns how many bytes are valid.
    fn key(&mut self, key: Stored<'a>) -> Result<Escapes, usize>;
    /// Takes the record whose fields become the members of the document. Returns whether the sink added a member before
    /// the first field.
    fn root(&mut self, _record: &Record) -> bool {
        false
    }
    /// Announces a value that will be replaced. Returns its beginning, for [`Sink::hide`].
    fn mark(&mut self) -> usize {
        0
    }
    /// Replaces the output since `mark` by the result of `how`.
    fn hide(&mut self, _mark: usize, _how: &Hide) {}
    /// Takes a value without parts that is somewhere in a map.
    fn in_map(&mut self, value: Scalar<'a>) {
        self.scalar(value);
    }
}

/// A value without parts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scalar<'a> {
    Null,
    Boolean(bool),
    Int(i32),
    Long(i64),
    Float(f32),
    Double(f64),
    /// The bytes of a bytes or a fixed.
    Bytes(&'a [u8]),
    Text(Text<'a>),
    /// A big-endian two's complement integer, and its scale.
    Decimal(&'a [u8], i64),
    Uuid([u8; 16]),
    /// Text of a uuid, in lowercase.
    UuidText(Text<'a>),
    /// Days since 1970-01-01.
    Date(i32),
    /// A time of day.
    Time(i64, Unit),
    /// A time since 1970-01-01, and whether it is in UTC.
    Timestamp(i64, Unit, bool),
    /// Months, days, milliseconds: each a little-endian `u32`.
    Duration([u8; 12]),
}
