//! The position of a record in Kafka.
//!
//! Partition, offset and next offset are three integers that must not be confused, so they are three types. Only
//! [`Offset::next`] steps from an offset to the next one.

use std::fmt;

/// The number of a partition within its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(pub i32);

/// The position of one record in its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub i64);

/// The offset of the first record that is *not* yet settled: what Kafka calls the committed offset.
///
/// Kafka commits the offset of the next record to read, not of the last one read
/// (Kafka documentation, "Offset management": "the committed position is the next offset").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NextOffset(pub i64);

impl Offset {
    /// Returns the committed offset that says "this record and all before it are settled".
    pub fn next(self) -> NextOffset {
        NextOffset(self.0 + 1)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for NextOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
