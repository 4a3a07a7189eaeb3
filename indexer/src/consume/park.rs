//! Parks records that wait for their schema, or for a newer table of backing indices.
//!
//! A parked record holds up only its own partition: the partition is paused, the record is kept, and the others
//! continue. A registry or an Elasticsearch that is down makes records wait and never makes dead letters (P5).

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Instant;

use kafka::position::Partition;

use super::need::Need;
use crate::message::record::{OwnedRecord, Record};

/// Holds the parked records, by partition.
#[derive(Clone, Debug, Default)]
pub struct Parked {
    partitions: BTreeMap<Partition, Waiting>,
    asked: HashSet<Need>,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Waiting {
    need: Need,
    /// When the partition was parked.
    since: Instant,
    /// The record that must wait, and the records that its partition delivered before the pause took effect.
    records: VecDeque<OwnedRecord>,
}

impl Parked {
    /// Returns whether `partition` is parked.
    pub fn holds(&self, partition: Partition) -> bool {
        self.partitions.contains_key(&partition)
    }

    /// Returns since when `partition` has been parked, or `None` if it is not.
    pub(super) fn since(&self, partition: Partition) -> Option<Instant> {
        self.partitions.get(&partition).map(|waiting| waiting.since)
    }

    /// Parks `record` until `need` is available. Returns whether this is the first record with this need.
    pub(super) fn park(&mut self, record: &Record<'_>, need: Need) -> bool {
        self.push(record.partition, need, OwnedRecord::copy(record));
        self.asked.insert(need)
    }

    /// Queues `record` behind the parked records of its partition.
    pub(super) fn queue(&mut self, record: &Record<'_>) {
        let copy = OwnedRecord::copy(record);
        if let Some(waiting) = self.partitions.get_mut(&record.partition) {
            self.bytes += copy.len();
            waiting.records.push_back(copy);
        }
    }

    /// Takes the partitions that wait for `need`, which is available now, with their records in order.
    pub fn release(&mut self, need: Need) -> Vec<(Partition, VecDeque<OwnedRecord>)> {
        self.asked.remove(&need);
        let ready: Vec<Partition> =
            self.partitions.iter().filter(|(_, waiting)| waiting.need == need).map(|(p, _)| *p).collect();
        ready.into_iter().filter_map(|partition| Some((partition, self.take(partition)?))).collect()
    }

    /// Drops the parked records of a revoked partition. Its next owner reads them again.
    pub(super) fn revoke(&mut self, partition: Partition) {
        self.take(partition);
    }

    /// Returns how many partitions wait for each kind of need, by its word.
    pub(super) fn counts(&self) -> [(&'static str, usize); 2] {
        let schemas = self.partitions.values().filter(|waiting| matches!(waiting.need, Need::Schema(_))).count();
        [("schema", schemas), ("table", self.partitions.len() - schemas)]
    }

    /// Returns the bytes of the parked records.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns whether any partition waits for a schema.
    pub(super) fn awaits_schema(&self) -> bool {
        self.partitions.values().any(|waiting| matches!(waiting.need, Need::Schema(_)))
    }

    fn push(&mut self, partition: Partition, need: Need, record: OwnedRecord) {
        self.bytes += record.len();
        let new = || Waiting { need, since: Instant::now(), records: VecDeque::new() };
        self.partitions.entry(partition).or_insert_with(new).records.push_back(record);
    }

    fn take(&mut self, partition: Partition) -> Option<VecDeque<OwnedRecord>> {
        let waiting = self.partitions.remove(&partition)?;
        self.bytes -= waiting.records.iter().map(OwnedRecord::len).sum::<usize>();
        Some(waiting.records)
    }
}

#[cfg(test)]
mod tests;
