//! The placement time of a record. Pure.

use std::time::Duration;

use shared::avro::Found;

/// An event's own timestamp may be later than its record's by this part (one in so many) of the margin and still counts: the clock of
/// a sender that runs ahead a little must not make its repeats land elsewhere.
const TOLERANCE_SHARE: i64 = 4;

/// How long after its record's an event's own timestamp may be, in milliseconds.
pub fn tolerance(margin: Duration) -> i64 {
    millis(margin) / TOLERANCE_SHARE
}

/// `duration` in milliseconds, as placement times are.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The placement time, in milliseconds since the Unix epoch: the event's own timestamp, which is the same when the sender repeats the
/// event, but never later than the record's and the `tolerance`, so that it is not in the future. Both are the same when the record is
/// read again. A record without any timestamp is older than all others.
pub fn placement_time(event: Option<i64>, record: Option<i64>, tolerance: i64) -> i64 {
    match (event, record) {
        (Some(event), Some(record)) => event.min(record.saturating_add(tolerance)),
        (Some(time), None) | (None, Some(time)) => time,
        (None, None) => 0,
    }
}

/// The event's own timestamp in milliseconds, of the field's value; text is none.
pub fn of_field(found: &Found<'_>) -> Option<i64> {
    match found {
        Found::Millis(millis) | Found::Integer(millis) => Some(*millis),
        Found::Text(_) => None,
    }
}
