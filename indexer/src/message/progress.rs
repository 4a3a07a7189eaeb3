//! How far batches take partitions.

use kafka::position::{NextOffset, Offset, Partition};

/// Which batch; never used twice in the life of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

/// Which assignment of a partition a record was read under. What settles under an earlier one never commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// How far one partition gets by a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The partition.
    pub partition: Partition,
    /// The assignment the records were read under.
    pub epoch: Epoch,
    /// The first record of this partition in the batch.
    pub first: Offset,
    /// Past the last record of this partition in the batch.
    pub next: NextOffset,
}
