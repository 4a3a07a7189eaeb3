//! The original position of a redriven record. Redriving a dead letter writes a new record of the topic, but it is
//! still the same event: its document must get the same id, time and version as the first time.
//!
//! So a redrive writes the original position into the header `redrive.origin`. The header is as trustworthy as a key:
//! only those who may write to the topic can set it, and the receiver never copies it from a request. It counts only
//! if it names the record's own topic, so that a copy of the topic under another name gets its own ids.

use std::fmt;

use kafka::headers::HEADER_REDRIVE_ORIGIN;
use kafka::position::{Offset, Partition};

use super::Record;

/// Where and when an event was first written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct First {
    /// The partition.
    pub partition: Partition,
    /// The offset.
    pub offset: Offset,
    /// Milliseconds since the Unix epoch, if the record had a timestamp.
    pub timestamp: Option<i64>,
}

impl First {
    /// Returns where and when `record` of `topic` was first written: its own position and timestamp, unless it was
    /// redriven.
    pub fn of(topic: &str, record: &Record<'_>) -> Self {
        let redriven = record.headers.get(HEADER_REDRIVE_ORIGIN).and_then(|header| Self::parse(topic, header));
        let own = Self { partition: record.partition, offset: record.offset, timestamp: record.timestamp };
        redriven.unwrap_or(own)
    }

    /// Reads the header `redrive.origin` of a record of `topic`. Returns None if it names another topic or is
    /// malformed.
    pub fn parse(topic: &str, header: &[u8]) -> Option<Self> {
        let rest = std::str::from_utf8(header).ok()?.strip_prefix(topic)?.strip_prefix(':')?;
        let mut parts = rest.split(':');
        let partition = parts.next()?.parse().ok().filter(|partition| *partition >= 0)?;
        let offset = parts.next()?.parse().ok().filter(|offset| *offset >= 0)?;
        let timestamp = match parts.next()? {
            "-" => None,
            millis => Some(millis.parse().ok()?),
        };
        parts.next().is_none().then_some(Self { partition: Partition(partition), offset: Offset(offset), timestamp })
    }

    /// Returns the value of the header `redrive.origin` for a record of `topic`.
    pub fn header(&self, topic: &str) -> String {
        format!("{topic}:{self}")
    }
}

/// Formatted as `PARTITION:OFFSET:TIMESTAMP`.
impl fmt::Display for First {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.partition, self.offset)?;
        match self.timestamp {
            Some(millis) => write!(f, "{millis}"),
            None => f.write_str("-"),
        }
    }
}

#[cfg(test)]
mod tests;
