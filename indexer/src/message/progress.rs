//! How far a batch takes its partitions.

use kafka::position::{NextOffset, Offset, Partition};

/// The id of a batch. Ids are never reused within a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

/// The assignment of a partition under which a record was read. What settles under an earlier assignment is never
/// committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// How far a batch takes one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Progress {
    /// The partition.
    pub partition: Partition,
    /// The assignment under which the records were read.
    pub epoch: Epoch,
    /// The first record of this partition in the batch.
    pub first: Offset,
    /// The offset after the last record of this partition in the batch.
    pub next: NextOffset,
}

impl Progress {
    /// Returns the assignment under which the record at `offset` of `partition` was read, by the `progress` of its
    /// batch. If the partition was lost and assigned again meanwhile, a batch may hold a record twice; the later
    /// assignment counts then. `None` if the batch does not hold it.
    pub fn epoch_of(progress: &[Self], partition: Partition, offset: Offset) -> Option<Epoch> {
        let holds = |step: &&Self| step.partition == partition && step.first <= offset && offset.0 < step.next.0;
        progress.iter().rfind(holds).map(|step| step.epoch)
    }
}

#[cfg(test)]
mod tests;
