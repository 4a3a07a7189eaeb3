//! A Kafka record as the pipeline uses it.

use kafka::position::{Offset, Partition};
use rdkafka::message::{BorrowedMessage, Message, Timestamp};

pub use first::First;
pub use headers::Headers;

mod first;
pub(crate) mod headers;

/// One record, borrowed from the client that fetched it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The partition.
    pub partition: Partition,
    /// The offset.
    pub offset: Offset,
    /// When the receiver accepted the event, in milliseconds since the Unix epoch. None if the record's format has no
    /// timestamps.
    pub timestamp: Option<i64>,
    /// The key, which is the event id.
    pub key: Option<&'a [u8]>,
    /// The value. None for a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers.
    pub headers: Headers<'a>,
}

impl<'a> Record<'a> {
    /// Converts a fetched message. Its headers are copied to `buffer`, which is cleared first.
    pub fn of(message: &'a BorrowedMessage<'_>, buffer: &'a mut Vec<u8>) -> Self {
        let timestamp = match message.timestamp() {
            Timestamp::CreateTime(millis) | Timestamp::LogAppendTime(millis) => Some(millis),
            Timestamp::NotAvailable => None,
        };
        Self {
            partition: Partition(message.partition()),
            offset: Offset(message.offset()),
            timestamp,
            key: message.key(),
            value: message.payload(),
            headers: Headers::copy(message.headers(), buffer),
        }
    }
}

/// A copy of a record that has to wait.
#[derive(Clone, Debug)]
pub struct OwnedRecord {
    partition: Partition,
    offset: Offset,
    timestamp: Option<i64>,
    key: Option<Box<[u8]>>,
    value: Option<Box<[u8]>>,
    headers: Box<[u8]>,
}

impl OwnedRecord {
    /// Copies a record.
    pub fn copy(record: &Record<'_>) -> Self {
        Self {
            partition: record.partition,
            offset: record.offset,
            timestamp: record.timestamp,
            key: record.key.map(Into::into),
            value: record.value.map(Into::into),
            headers: record.headers.as_bytes().into(),
        }
    }

    /// Returns the record that was copied.
    pub fn as_record(&self) -> Record<'_> {
        Record {
            partition: self.partition,
            offset: self.offset,
            timestamp: self.timestamp,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: Headers::from_bytes(&self.headers),
        }
    }

    /// Returns how many bytes key, value and headers have.
    pub fn len(&self) -> usize {
        let (key, value) = (self.key.as_ref(), self.value.as_ref());
        key.map_or(0, |key| key.len()) + value.map_or(0, |value| value.len()) + self.headers.len()
    }

    /// Returns whether key, value and headers are all empty or absent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
