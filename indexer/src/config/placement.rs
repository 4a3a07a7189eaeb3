//! `elasticsearch.placement`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// `elasticsearch.placement`: which of several indices a document goes to. The rules are in `docs/placement.md`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Placement {
    /// `elasticsearch.placement.margin`: how long after its creation a backing index begins to take documents. It
    /// covers the differences between all clocks, and the age of the list of backing indices. At least `200ms`. See
    /// `docs/placement.md`.
    #[serde(with = "humantime_serde")]
    pub margin: Duration,
    /// `elasticsearch.placement.time`: the time that places a document. `event`: the event's own timestamp, but never
    /// later than the record's. `record`: the record's timestamp, which is the time of receipt; for bulk imports of old
    /// events.
    pub time: PlacementTime,
    /// `elasticsearch.placement.time_field`: the field path of the event's own timestamp: a timestamp, a date, or a
    /// number since 1970 in `time_unit`. An event whose schema lacks this field is placed by its record.
    pub time_field: String,
    /// `elasticsearch.placement.time_unit`: the unit of a plain number (int or long) in `time_field`: `s`, `ms`, `us`
    /// or `ns` since 1970. A timestamp or date carries its own unit.
    pub time_unit: TimeUnit,
    /// `elasticsearch.placement.max_ahead`: how far ahead of the indexer's clock a record may be dated: its partition
    /// waits until then. A record further ahead becomes a dead letter (`in-the-future`). At most `1h`.
    #[serde(with = "humantime_serde")]
    pub max_ahead: Duration,
    /// `elasticsearch.placement.expired`: what happens to a document whose index was deleted, because it is older than
    /// the oldest backing index. `oldest`: it goes to the oldest one. `skip`: it is not indexed. `dead_letter`: it
    /// becomes a dead letter.
    pub expired: Expired,
    /// `elasticsearch.placement.dedupe_horizon`: data streams only: how long after its rollover a backing index is
    /// still searched for an id before that id is written again.
    #[serde(with = "humantime_serde")]
    pub dedupe_horizon: Duration,
    /// `elasticsearch.placement.refresh_interval`: how often the list of backing indices is read; at least four times
    /// per margin in any case.
    #[serde(with = "humantime_serde")]
    pub refresh_interval: Duration,
    /// `elasticsearch.placement.time_pattern`: strategy `time` only: the part after the index's name and a dash,
    /// formatted from the placement time in UTC: `%Y`, `%m`, `%d`, `%H`, `%M`, `%S`. With
    /// `elasticsearch.lifecycle: ilm` it must be `%Y.%m.%d`, optionally followed by `-%H`, `-%H%M` or `-%H%M%S`: ages
    /// count from the date in the name.
    pub time_pattern: String,
}

/// `elasticsearch.placement.time`: the time that places a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlacementTime {
    /// The event's own timestamp, but never later than the record's.
    Event,
    /// The record's timestamp.
    Record,
}

/// `elasticsearch.placement.time_unit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum TimeUnit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[default]
    #[serde(rename = "ms")]
    Millis,
    /// Microseconds.
    #[serde(rename = "us")]
    Micros,
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanos,
}

impl TimeUnit {
    /// Returns `number` of these units in milliseconds. Smaller fractions are dropped.
    pub fn millis(self, number: i64) -> i64 {
        match self {
            Self::Seconds => number.saturating_mul(1_000),
            Self::Millis => number,
            Self::Micros => number.div_euclid(1_000),
            Self::Nanos => number.div_euclid(1_000_000),
        }
    }
}

/// `elasticsearch.placement.expired`: what happens to a document that is older than the oldest backing index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expired {
    /// The document goes to the oldest backing index.
    Oldest,
    /// The document is not indexed.
    Skip,
    /// The document goes to the dead-letter topic.
    DeadLetter,
}

impl Default for Placement {
    fn default() -> Self {
        Self {
            margin: Duration::from_secs(30),
            time: PlacementTime::Event,
            time_field: "timestamp".to_owned(),
            time_unit: TimeUnit::Millis,
            max_ahead: Duration::from_secs(60),
            expired: Expired::Oldest,
            dedupe_horizon: Duration::from_secs(3_600),
            refresh_interval: Duration::from_secs(2),
            time_pattern: "%Y.%m.%d".to_owned(),
        }
    }
}
