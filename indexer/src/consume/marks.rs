//! Whether the log below a committed offset is still the one that was read. Pure.
//!
//! A log that is truncated (an unclean leader election) or restored while no indexer runs may have grown past the
//! committed offset since. Then the offset points into other data, and what comes before it would be skipped. So each
//! commit carries a fingerprint of the last record before its offset. A partition that is assigned is read from that
//! record on, which is compared and not indexed again.

use std::collections::{BTreeMap, VecDeque};

use kafka::position::{NextOffset, Partition};

use crate::message::record::Record;

/// What the fingerprint in a commit's metadata begins with.
const PREFIX: &str = "last=";
/// Fingerprints kept of each partition: of the last records of batches that are not committed yet.
const MAX_SENT: usize = 64;

/// The last record before an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    next: NextOffset,
    fingerprint: u64,
}

/// What a record is to its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// One to index.
    New,
    /// One that comes before the committed offset.
    Settled,
    /// One that is not what was committed past: the log is another one, and is to be read from its beginning.
    Other,
}

/// The marks of all assigned partitions.
#[derive(Debug, Default)]
pub(super) struct Marks {
    partitions: BTreeMap<Partition, Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The record that was taken last.
    last: Option<Mark>,
    /// The last records of batches.
    sent: VecDeque<Mark>,
    /// The record that is compared.
    expected: Option<Mark>,
    is_other: bool,
}

impl Marks {
    /// Notes that `partition` was assigned, with `metadata` of what is committed for it. Returns where to read from: at
    /// `committed`, or one record before it, if that is to be compared.
    pub(super) fn assign(&mut self, partition: Partition, metadata: &str, committed: NextOffset) -> NextOffset {
        let fingerprint = metadata.split(';').find_map(|part| part.strip_prefix(PREFIX));
        let fingerprint = fingerprint.and_then(|text| u64::from_str_radix(text, 16).ok()).filter(|_| committed.0 > 0);
        let expected = fingerprint.map(|fingerprint| Mark { next: committed, fingerprint });
        self.partitions.insert(partition, Kept { expected, ..Kept::default() });
        NextOffset(committed.0 - i64::from(expected.is_some()))
    }

    /// Notes that `partition` is no longer assigned, or is read from its beginning.
    pub(super) fn forget(&mut self, partition: Partition) {
        self.partitions.remove(&partition);
    }

    /// Takes note of `record`, the next of its partition.
    pub(super) fn see(&mut self, record: &Record<'_>) -> Seen {
        let kept = self.partitions.entry(record.partition).or_default();
        if kept.is_other {
            return Seen::Other;
        }
        let mark = Mark { next: record.offset.next(), fingerprint: fingerprint(record) };
        // Where it was deleted, or reading went back before it, there is nothing to compare.
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

    /// Returns the metadata of a commit of `next`; none where the record before it is not known.
    pub(super) fn metadata(&self, partition: Partition, next: NextOffset) -> Option<String> {
        let mark = self.partitions.get(&partition)?.sent.iter().rfind(|mark| mark.next == next)?;
        Some(format!("{PREFIX}{:016x}", mark.fingerprint))
    }
}

/// Returns the same for the same record, in any version: FNV-1a over timestamp, length of the value, and key.
fn fingerprint(record: &Record<'_>) -> u64 {
    let timestamp = record.timestamp.unwrap_or(-1).to_le_bytes();
    let length = record.value.map_or(u64::MAX, |value| value.len() as u64).to_le_bytes();
    let bytes = timestamp.iter().chain(&length).chain(record.key.unwrap_or_default());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use kafka::position::Offset;

    use super::*;
    use crate::message::record::Headers;

    const P: Partition = Partition(3);

    fn record(offset: i64, key: &[u8]) -> Record<'_> {
        let headers = Headers::from_bytes(&[]);
        let (partition, offset, timestamp) = (P, Offset(offset), Some(1_700_000_000_000));
        Record { partition, offset, timestamp, key: Some(key), value: Some(b"value"), headers }
    }

    /// Returns the metadata of a commit of 10, after the record 9 with `key`.
    fn committed(key: &[u8]) -> String {
        let mut marks = Marks::default();
        assert_eq!(marks.assign(P, "topic-id=1", NextOffset(9)), NextOffset(9));
        assert_eq!(marks.see(&record(9, key)), Seen::New);
        assert_eq!(marks.metadata(P, NextOffset(10)), None, "it is not sent yet");
        marks.send();
        assert_eq!(marks.see(&record(10, b"next")), Seen::New);
        marks.send();
        assert_eq!(marks.metadata(P, NextOffset(12)), None);
        format!("topic-id=1;{}", marks.metadata(P, NextOffset(10)).unwrap())
    }

    #[test]
    fn the_record_before_the_committed_offset_is_compared_and_not_taken_again() {
        let mut marks = Marks::default();
        assert_eq!(marks.assign(P, &committed(b"a"), NextOffset(10)), NextOffset(9));
        assert_eq!(marks.see(&record(9, b"a")), Seen::Settled);
        assert_eq!(marks.see(&record(10, b"b")), Seen::New);
        assert!(marks.others().is_empty());
    }

    #[test]
    fn another_record_shows_that_the_log_is_another_one_until_it_is_read_anew() {
        let mut marks = Marks::default();
        marks.assign(P, &committed(b"a"), NextOffset(10));
        for offset in 9..12 {
            assert_eq!(marks.see(&record(offset, b"b")), Seen::Other);
        }
        assert_eq!(marks.others(), [P]);
        marks.forget(P);
        assert_eq!(marks.see(&record(0, b"b")), Seen::New);
        assert!(marks.others().is_empty());
    }

    #[test]
    fn what_was_deleted_or_is_before_it_cannot_be_compared() {
        for offset in [3, 10, 20] {
            let mut marks = Marks::default();
            marks.assign(P, &committed(b"a"), NextOffset(10));
            assert_eq!(marks.see(&record(offset, b"b")), Seen::New);
        }
    }

    #[test]
    fn an_offset_without_a_mark_is_trusted_and_marks_are_bounded() {
        let mut marks = Marks::default();
        for metadata in ["", "topic-id=1", "last=", "last=x", "what a tool wrote"] {
            assert_eq!(marks.assign(P, metadata, NextOffset(10)), NextOffset(10));
        }
        assert_eq!(marks.assign(P, "last=1", NextOffset(0)), NextOffset(0));
        for offset in 10..1_000 {
            marks.see(&record(offset, b"a"));
            marks.send();
        }
        assert_eq!(marks.partitions[&P].sent.len(), MAX_SENT);
    }
}
