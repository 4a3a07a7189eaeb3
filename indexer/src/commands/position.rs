//! `TOPIC:PARTITION:OFFSET`, the form in which commands name a record.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// The position of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordPosition {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

/// Text that is not the position of a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not TOPIC:PARTITION:OFFSET, such as cxone-events:3:12345")]
pub struct NoPosition(String);

impl FromStr for RecordPosition {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let parse = || {
            let (rest, offset) = text.rsplit_once(':')?;
            let (topic, partition) = rest.rsplit_once(':')?;
            let (partition, offset) = (partition.parse().ok()?, offset.parse().ok()?);
            let is_one = !topic.is_empty() && !topic.contains(':') && partition >= 0 && offset >= 0;
            is_one.then(|| Self { topic: topic.to_owned(), partition, offset })
        };
        parse().ok_or_else(|| NoPosition(text.to_owned()))
    }
}

impl fmt::Display for RecordPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.topic, self.partition, self.offset)
    }
}

impl Serialize for RecordPosition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;
