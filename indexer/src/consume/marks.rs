//! Checks whether the log below a committed offset is still the one that was read. Pure.
//!
//! A log may be truncated (by an unclean leader election) or restored while no indexer runs, and grow past the
//! committed offset. The offset then points into other data, and the data before it would be skipped. So each commit
//! carries a fingerprint of the last record before its offset. After an assignment, reading starts at that record,
//! which is compared but not indexed again.

use std::collections::{BTreeMap, VecDeque};

use kafka::position::{NextOffset, Partition};

use crate::message::record::Record;

/// The start of the fingerprint in a commit's metadata.
const PREFIX: &str = "last=";
/// The most fingerprints kept per partition, of the last records of uncommitted batches.
const MAX_SENT: usize = 64;

/// Identifies the last record before an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    next: NextOffset,
    fingerprint: u64,
}

/// The result of checking a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The record must be indexed.
    New,
    /// The record is before the committed offset.
    Settled,
    /// The record differs from the committed one: the log is another and must be read from its beginning.
    Other,
}

/// Holds the marks of all assigned partitions.
#[derive(Debug, Default)]
pub(super) struct Marks {
    partitions: BTreeMap<Partition, PartitionMarks>,
}

#[derive(Debug, Default)]
struct PartitionMarks {
    /// The mark of the last record that was taken.
    last: Option<Mark>,
    /// The marks of the last records of batches.
    sent: VecDeque<Mark>,
    /// The mark that the next record is compared with.
    expected: Option<Mark>,
    is_other: bool,
}

impl Marks {
    /// Notes that `partition` was assigned, with the `metadata` of its committed offset. Returns where to read from:
    /// at `committed`, or one record before it to compare that record.
    pub(super) fn assign(&mut self, partition: Partition, metadata: &str, committed: NextOffset) -> NextOffset {
        let fingerprint = metadata.split(';').find_map(|part| part.strip_prefix(PREFIX));
        let fingerprint = fingerprint.and_then(|text| u64::from_str_radix(text, 16).ok()).filter(|_| committed.0 > 0);
        let expected = fingerprint.map(|fingerprint| Mark { next: committed, fingerprint });
        self.partitions.insert(partition, PartitionMarks { expected, ..PartitionMarks::default() });
        NextOffset(committed.0 - i64::from(expected.is_some()))
    }

    /// Notes that `partition` is no longer assigned, or is read from its beginning.
    pub(super) fn forget(&mut self, partition: Partition) {
        self.partitions.remove(&partition);
    }

    /// Checks `record`, the next of its partition.
    pub(super) fn see(&mut self, record: &Record<'_>) -> Seen {
        let kept = self.partitions.entry(record.partition).or_default();
        if kept.is_other {
            return Seen::Other;
        }
        let mark = Mark { next: record.offset.next(), fingerprint: fingerprint(record) };
        // If the record was deleted, or reading went back before it, there is nothing to compare.
        if let Some(expected) = kept.expected.take()
            && expected.next == mark.next
        {
            kept.is_other = expected != mark;
            return if kept.is_other { Seen::Other } else { Seen::Settled };
        }
        kept.last = Some(mark);
        Seen::New
    }

    /// Notes that all records so far are in batches.
    pub(super) fn send(&mut self) {
        for kept in self.partitions.values_mut() {
            let Some(last) = kept.last.take() else { continue };
            if kept.sent.len() == MAX_SENT {
                kept.sent.pop_front();
            }
            kept.sent.push_back(last);
        }
    }

    /// Returns the partitions whose log is another one.
    pub(super) fn others(&self) -> Vec<Partition> {
        self.partitions.iter().filter(|(_, kept)| kept.is_other).map(|(partition, _)| *partition).collect()
    }

    /// Returns whether the log of `partition` is another one that is not read from its beginning yet.
    pub(super) fn is_other(&self, partition: Partition) -> bool {
        self.partitions.get(&partition).is_some_and(|kept| kept.is_other)
    }

    /// Returns the metadata of a commit of `next`, or `None` if the record before it is unknown.
    pub(super) fn metadata(&self, partition: Partition, next: NextOffset) -> Option<String> {
        let mark = self.partitions.get(&partition)?.sent.iter().rfind(|mark| mark.next == next)?;
        Some(format!("{PREFIX}{:016x}", mark.fingerprint))
    }
}

/// Returns the same value for the same record in every version: FNV-1a over timestamp, length of the value, and key.
fn fingerprint(record: &Record<'_>) -> u64 {
    let timestamp = record.timestamp.unwrap_or(-1).to_le_bytes();
    let length = record.value.map_or(u64::MAX, |value| value.len() as u64).to_le_bytes();
    let bytes = timestamp.iter().chain(&length).chain(record.key.unwrap_or_default());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests;
