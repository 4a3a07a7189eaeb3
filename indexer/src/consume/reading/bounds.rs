//! The range that a command reads of a topic, and its progress.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use kafka::position::Partition;

/// What a command reads, and how.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// The first offset and the end of each partition that is read.
    pub ranges: BTreeMap<Partition, Range<i64>>,
    /// The most records per second; `None` means no limit.
    pub rate: Option<u32>,
    /// Whether the group's offsets are committed.
    pub commits: bool,
    /// Additional metadata for the group's commits, after the topic's id, by partition.
    pub notes: BTreeMap<Partition, String>,
    /// The progress of reading, for observers.
    pub watched: Arc<Watched>,
}

/// The progress of a command.
#[derive(Debug, Default)]
pub struct Watched {
    /// How many offsets of the ranges have been passed, including those of an earlier run.
    pub passed: AtomicU64,
    /// Whether every record of the ranges is settled.
    pub is_complete: AtomicBool,
    /// Whether reading ended because another member of the group has some of the partitions.
    pub is_shared: AtomicBool,
}
