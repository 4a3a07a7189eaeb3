//! One record of the dead-letter topic or the quarantine, as the commands use it.

use kafka::headers::{HEADER_REDRIVE_COUNT, HEADER_REDRIVE_ORIGIN, HEADER_REQUEST_ID, HEADER_SOURCE};
use kafka::position::{Offset, Partition};
use serde::Serialize;

use crate::commands::position::RecordPosition;
use crate::message::record::{First, Record};

/// The prefix of the indexer's own headers.
pub(crate) const DEAD_LETTER_PREFIX: &str = "dl.";
/// The prefix of the receiver's headers in the quarantine.
const QUARANTINE_PREFIX: &str = "q.";

/// The kind of a letter, by its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Written by the indexer: a record that can never be indexed.
    DeadLetter,
    /// Written by the receiver: a body that is not an event.
    Quarantined,
}

/// A letter.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// The position of the letter.
    pub(crate) at: RecordPosition,
    /// The kind of the letter.
    pub(crate) kind: Kind,
    /// When it was written, in milliseconds since the Unix epoch; for a quarantined body, when it was received.
    pub(crate) written: Option<i64>,
    /// The key of the record.
    pub(crate) key: Option<Vec<u8>>,
    /// The value of the record.
    pub(crate) value: Option<Vec<u8>>,
    /// All headers, in their order.
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Letter {
    /// Copies `record` of `topic`.
    pub(crate) fn of(topic: &str, kind: Kind, record: &Record<'_>) -> Self {
        let at = RecordPosition { topic: topic.to_owned(), partition: record.partition.0, offset: record.offset.0 };
        let headers = record.headers.map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec)));
        Self {
            at,
            kind,
            written: record.timestamp,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: headers.collect(),
        }
    }

    /// Returns the value of the last header `name` as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().rev().find(|(found, _)| found == name)?;
        std::str::from_utf8(value.as_deref()?).ok()
    }

    fn own(&self, name: &str) -> Option<&str> {
        let prefix = match self.kind {
            Kind::DeadLetter => DEAD_LETTER_PREFIX,
            Kind::Quarantined => QUARANTINE_PREFIX,
        };
        self.header(&format!("{prefix}{name}"))
    }

    /// Returns the error type, a short word.
    pub(crate) fn error_type(&self) -> &str {
        self.own("error-type").unwrap_or("unknown")
    }

    /// Returns the reason in words.
    pub(crate) fn reason(&self) -> &str {
        self.own("reason").unwrap_or("no reason is given")
    }

    /// Returns the stage that refused the record.
    pub(crate) fn stage(&self) -> &str {
        match self.kind {
            Kind::DeadLetter => self.own("stage").unwrap_or("unknown"),
            Kind::Quarantined => "receive",
        }
    }

    /// Returns the topic that the record came from. A quarantined body has none.
    pub(crate) fn origin_topic(&self) -> Option<&str> {
        self.header("dl.topic")
    }

    /// Returns the position of the record that became this letter. For a redriven record, that is its new position.
    pub(crate) fn record_position(&self) -> Option<RecordPosition> {
        let number = |name: &str| self.own(name)?.parse::<i64>().ok();
        let partition = i32::try_from(number("partition")?).ok()?;
        Some(RecordPosition { topic: self.origin_topic()?.to_owned(), partition, offset: number("offset")? })
    }

    /// Returns where and when the event was first written, before any redrive.
    pub(crate) fn first(&self) -> Option<First> {
        let position = self.record_position()?;
        let redriven = self.header(HEADER_REDRIVE_ORIGIN);
        let timestamp = self.own("timestamp").and_then(|timestamp| timestamp.parse().ok());
        let own = First { partition: Partition(position.partition), offset: Offset(position.offset), timestamp };
        Some(redriven.and_then(|header| First::parse(&position.topic, header.as_bytes())).unwrap_or(own))
    }

    /// Returns how often the record has been redriven.
    pub(crate) fn redrives(&self) -> u32 {
        self.header(HEADER_REDRIVE_COUNT).and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    /// Returns the source that accepted the event.
    pub(crate) fn source(&self) -> Option<&str> {
        self.header(HEADER_SOURCE).or_else(|| self.header("q.source"))
    }

    /// Returns the id of the request that brought the event.
    pub(crate) fn request_id(&self) -> Option<&str> {
        self.header(HEADER_REQUEST_ID).or_else(|| self.header("q.request-id"))
    }

    /// Returns the key of the event as text: the key of the record, or the id that the receiver found in the body.
    pub(crate) fn key_text(&self) -> Option<String> {
        let key = self.key.as_ref().filter(|key| !key.is_empty()).map(|key| String::from_utf8_lossy(key).into_owned());
        key.or_else(|| self.header("q.event-id").map(str::to_owned))
    }

    /// Returns whether a part of the record did not fit into the dead-letter topic.
    pub(crate) fn is_cut(&self) -> bool {
        ["dl.value-omitted", "dl.key-omitted", "dl.headers-omitted"].iter().any(|name| self.header(name).is_some())
    }

    /// Returns the record's own headers, without those that the indexer added.
    pub(crate) fn record_headers(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        let own = self.headers.iter().filter(|(name, _)| !name.starts_with(DEAD_LETTER_PREFIX));
        own.map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// Returns its approximate size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let headers: usize =
            self.headers.iter().map(|(name, value)| name.len() + value.as_ref().map_or(0, Vec::len)).sum();
        self.key.as_ref().map_or(0, Vec::len) + self.value.as_ref().map_or(0, Vec::len) + headers
    }
}
