//! What a walk hands out: each value, in the order of the datum.

use super::hide::Hide;
use super::node::{Record, Symbol, Unit};
use super::text::Text;

/// What takes the values that a walk meets, in their order.
pub(crate) trait Sink<'a> {
    /// JSON that is the same whatever the datum says: braces, commas, field names.
    fn raw(&mut self, json: &[u8]);
    /// A value without parts.
    fn scalar(&mut self, value: Scalar<'a>);
    /// A symbol of an enum.
    fn symbol(&mut self, symbol: &Symbol);
    /// The key of a map's entry; its value follows.
    fn key(&mut self, key: Text<'a>);
    /// The record that the members of a document are of. Returns whether there is a member before its first field now.
    fn root(&mut self, _record: &Record) -> bool {
        false
    }
    /// A value follows that is not written as it is. Returns where it begins, for [`Sink::hide`].
    fn mark(&mut self) -> usize {
        0
    }
    /// Puts in the place of what came since `mark` what `how` makes of it.
    fn hide(&mut self, _mark: usize, _how: &Hide) {}
    /// A value without parts that is somewhere in a map.
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
    /// A big-endian two's complement, and the digits after the point.
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
