//! Computes the placement time of a record. Pure.

use std::time::Duration;

use avro::FoundField;

use crate::config::TimeUnit;

/// How much later than its record's timestamp an event's own may be, as a share of the margin: one part in this many. A
/// sender's clock that is slightly ahead must not send its repeats to another index.
const TOLERANCE_SHARE: i64 = 4;

/// Returns how much later than its record's timestamp an event's own may be, in milliseconds.
pub fn tolerance(margin: Duration) -> i64 {
    millis(margin) / TOLERANCE_SHARE
}

/// Returns `duration` in milliseconds, the unit of placement times.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Returns the placement time, in milliseconds since the Unix epoch. It is the event's own timestamp, which is the
/// same when the sender repeats the event. It is at most the record's timestamp plus `tolerance`, so it is not in the
/// future. Both are the same when the record is read again. A record without any timestamp counts as older than all
/// others.
pub fn placement_time(event: Option<i64>, record: Option<i64>, tolerance: i64) -> i64 {
    match (event, record) {
        (Some(event), Some(record)) => event.min(record.saturating_add(tolerance)),
        (Some(time), None) | (None, Some(time)) => time,
        (None, None) => 0,
    }
}

/// 2000-01-01T00:00:00Z in milliseconds. No event is older, but a number of seconds that is read as milliseconds is.
const FIRST_PLAUSIBLE: i64 = 946_684_800_000;
/// How much later than its record's timestamp an event's own may be and still be plausible, in milliseconds.
const LAST_PLAUSIBLE: i64 = 86_400_000;

/// The source of a record's placement time, and whether it can be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The event's own timestamp.
    Event,
    /// The record's timestamp, by config.
    Record,
    /// The record's timestamp: the schema has no such field, or one of another type.
    Missing,
    /// The record's timestamp: the field is null, or text.
    Empty,
    /// The record's timestamp plus a quarter of a margin: the event's own is later, so a sender's clock is ahead.
    Ahead,
    /// The event's own timestamp, or the record's instead, although the event's cannot be right: it is before the
    /// year 2000, or more than a day after the record's. It may have another unit.
    Implausible,
}

impl Source {
    /// Every source, for metrics.
    pub const ALL: [Self; 6] = [Self::Event, Self::Record, Self::Missing, Self::Empty, Self::Ahead, Self::Implausible];

    /// Returns a short fixed word for metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Record => "record",
            Self::Missing => "missing",
            Self::Empty => "empty",
            Self::Ahead => "ahead",
            Self::Implausible => "implausible",
        }
    }

    /// Returns the source for a field that was read and has the value `event`, in a record with the timestamp
    /// `record`. Both are in milliseconds since the Unix epoch.
    pub fn of(event: Option<i64>, record: Option<i64>, tolerance: i64) -> Self {
        let Some(event) = event else { return Self::Empty };
        let record = record.unwrap_or(event);
        match event {
            _ if event < FIRST_PLAUSIBLE || event > record.saturating_add(LAST_PLAUSIBLE) => Self::Implausible,
            _ if event > record.saturating_add(tolerance) => Self::Ahead,
            _ => Self::Event,
        }
    }
}

/// Returns the value of the timestamp field in milliseconds. A number is in `unit`; text has no value.
pub fn of_field(found: &FoundField<'_>, unit: TimeUnit) -> Option<i64> {
    match found {
        FoundField::Millis(millis) => Some(*millis),
        FoundField::Integer(number) => Some(unit.millis(*number)),
        FoundField::Text(_) | FoundField::Boolean(_) => None,
    }
}
