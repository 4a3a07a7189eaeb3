//! `elasticsearch.placement`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// `elasticsearch.placement`: which index of several a document lands in. The rules are in `docs/placement.md`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Placement {
    /// `elasticsearch.placement.margin`: how long after its creation a backing index begins to take documents. It covers the difference
    /// between the clocks of senders, receivers, indexers and Elasticsearch, and the age of the list of backing indices.
    #[serde(with = "humantime_serde")]
    pub margin: Duration,
    /// `elasticsearch.placement.time`: what places a document: `event`, the event's own timestamp (but never later than the record's), or
    /// `record`, the record's, which is when the receiver took it.
    pub time: PlacementTime,
    /// `elasticsearch.placement.time_field`: the field path of the event's own timestamp: a timestamp, a date, or a number of
    /// `time_unit`s since 1970. An event whose schema has no such field is placed by its record.
    pub time_field: String,
    /// `elasticsearch.placement.time_unit`: what a plain number in that field counts since 1970. A timestamp or a date says it itself.
    pub time_unit: TimeUnit,
    /// `elasticsearch.placement.max_ahead`: how far ahead of the indexer's clock a record may be dated. Its partition waits until then. A
    /// record further ahead is a dead letter.
    #[serde(with = "humantime_serde")]
    pub max_ahead: Duration,
    /// `elasticsearch.placement.expired`: what becomes of a document whose backing index is deleted, since it is older than the oldest one
    /// that is left: `oldest` (it goes there), `skip` (it is not indexed) or `dead_letter`.
    pub expired: Expired,
    /// `elasticsearch.placement.dedupe_horizon`: data streams only: how long ago a backing index may have been rolled over and still be
    /// searched for an id before that id is written again.
    #[serde(with = "humantime_serde")]
    pub dedupe_horizon: Duration,
    /// `elasticsearch.placement.refresh_interval`: how often the list of backing indices is read; at least four times a margin in any
    /// case.
    #[serde(with = "humantime_serde")]
    pub refresh_interval: Duration,
    /// `elasticsearch.placement.time_pattern`: strategy `time` only: what follows the index's name and a dash, made of the placement
    /// time in UTC: `%Y`, `%m`, `%d`, `%H`, `%M`, `%S`.
    pub time_pattern: String,
}

/// `elasticsearch.placement.time`: what places a document.
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
    /// `number` of these units in milliseconds; what is smaller is dropped.
    pub fn millis(self, number: i64) -> i64 {
        match self {
            Self::Seconds => number.saturating_mul(1_000),
            Self::Millis => number,
            Self::Micros => number.div_euclid(1_000),
            Self::Nanos => number.div_euclid(1_000_000),
        }
    }
}

/// `elasticsearch.placement.expired`: what becomes of a document that is older than the oldest backing index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expired {
    /// It goes to the oldest backing index.
    Oldest,
    /// It is not indexed.
    Skip,
    /// It goes to the dead-letter topic.
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
