//! Records that wait for their schema.
//!
//! A record whose schema is not in memory holds up its partition alone: the partition is paused, the record is kept, and
//! consuming goes on with the others. A registry that is away makes records wait, never dead letters (P5).

use std::collections::{BTreeMap, HashSet, VecDeque};

use shared::position::Partition;
use shared::wire::SchemaId;

use crate::record::{OwnedRecord, Record};

/// The records that wait, by partition.
#[derive(Debug, Default)]
pub(super) struct Parked {
    partitions: BTreeMap<Partition, Waiting>,
    asked: HashSet<SchemaId>,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    schema: SchemaId,
    /// The record that was found to wait, and whatever its partition gave before the pause took hold.
    records: VecDeque<OwnedRecord>,
}

impl Parked {
    /// Whether `partition` waits.
    pub(super) fn holds(&self, partition: Partition) -> bool {
        self.partitions.contains_key(&partition)
    }

    /// Keeps `record` until `schema` is known. Gives whether nobody has asked for that schema yet.
    pub(super) fn park(&mut self, record: &Record<'_>, schema: SchemaId) -> bool {
        self.push(record.partition, schema, OwnedRecord::copy(record));
        self.asked.insert(schema)
    }

    /// Keeps `record` behind those of its partition that wait already.
    pub(super) fn queue(&mut self, record: &Record<'_>) {
        let copy = OwnedRecord::copy(record);
        if let Some(waiting) = self.partitions.get_mut(&record.partition) {
            self.bytes += copy.len();
            waiting.records.push_back(copy);
        }
    }

    /// Takes out the partitions that wait for `schema`, which has been answered, with their records in order.
    pub(super) fn release(&mut self, schema: SchemaId) -> Vec<(Partition, VecDeque<OwnedRecord>)> {
        self.asked.remove(&schema);
        let ready: Vec<Partition> =
            self.partitions.iter().filter(|(_, waiting)| waiting.schema == schema).map(|(p, _)| *p).collect();
        ready.into_iter().filter_map(|partition| Some((partition, self.take(partition)?))).collect()
    }

    /// Drops what waits of a revoked partition: its next owner reads it again.
    pub(super) fn revoke(&mut self, partition: Partition) {
        self.take(partition);
    }

    /// Bytes of the records that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The partitions that wait.
    pub(super) fn partitions(&self) -> impl Iterator<Item = Partition> + '_ {
        self.partitions.keys().copied()
    }

    fn push(&mut self, partition: Partition, schema: SchemaId, record: OwnedRecord) {
        self.bytes += record.len();
        let waiting = self.partitions.entry(partition).or_insert_with(|| Waiting { schema, records: VecDeque::new() });
        waiting.records.push_back(record);
    }

    fn take(&mut self, partition: Partition) -> Option<VecDeque<OwnedRecord>> {
        let waiting = self.partitions.remove(&partition)?;
        self.bytes -= waiting.records.iter().map(OwnedRecord::len).sum::<usize>();
        Some(waiting.records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::position::Offset;

    const A: SchemaId = SchemaId(1);
    const B: SchemaId = SchemaId(2);

    fn record(partition: i32, offset: i64) -> Record<'static> {
        Record {
            partition: Partition(partition),
            offset: Offset(offset),
            timestamp: None,
            key: None,
            value: Some(b"1234"),
        }
    }

    #[test]
    fn a_schema_is_asked_for_once_however_many_wait_for_it() {
        let mut parked = Parked::default();
        assert!(parked.park(&record(0, 1), A));
        assert!(!parked.park(&record(1, 1), A));
        assert!(parked.park(&record(2, 1), B));
    }

    #[test]
    fn an_answer_releases_the_records_of_its_schema_in_order() {
        let mut parked = Parked::default();
        parked.park(&record(0, 1), A);
        parked.queue(&record(0, 2));
        parked.park(&record(1, 7), B);
        assert_eq!(parked.bytes(), 12);

        let released = parked.release(A);
        assert_eq!(released.len(), 1);
        let offsets: Vec<i64> = released[0].1.iter().map(|record| record.as_record().offset.0).collect();
        assert_eq!(offsets, [1, 2]);
        assert!(!parked.holds(Partition(0)) && parked.holds(Partition(1)));
        assert_eq!(parked.bytes(), 4);
    }

    #[test]
    fn a_revoked_partition_waits_no_longer() {
        let mut parked = Parked::default();
        parked.park(&record(0, 1), A);
        parked.revoke(Partition(0));
        assert_eq!(parked.bytes(), 0);
        assert!(parked.release(A).is_empty());
    }
}
