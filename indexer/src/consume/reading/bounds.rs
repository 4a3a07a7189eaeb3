//! What a command reads of a topic, and how far it has come.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use kafka::position::Partition;

/// The offsets that a command reads, and how it does so.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// The first offset and the end of each partition that is read.
    pub ranges: BTreeMap<Partition, Range<i64>>,
    /// The most records in a second; none: as fast as they come.
    pub rate: Option<u32>,
    /// Whether the group's offsets are committed.
    pub commits: bool,
    /// What the group's commits carry as metadata behind the topic's id, by partition.
    pub notes: BTreeMap<Partition, String>,
    /// How far reading has come, for those who watch.
    pub watched: Arc<Watched>,
}

/// How far a command has come.
#[derive(Debug, Default)]
pub struct Watched {
    /// Offsets of the ranges that are behind, those of an earlier run too.
    pub passed: AtomicU64,
    /// Whether every record of the ranges is settled.
    pub is_complete: AtomicBool,
    /// Whether reading ended because another member of the group has some of the partitions.
    pub is_shared: AtomicBool,
}
