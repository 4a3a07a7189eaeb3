//! Holds the thread's records and the progress of each partition, without Kafka: the current batch, the parked
//! records, and the ledger.
//!
//! The three must agree on which assignment a record belongs to. So all assigning, revoking, taking and dispatching
//! goes through this type.

use std::collections::VecDeque;
use std::time::Instant;

use kafka::position::{NextOffset, Partition};

use super::jump::{Jump, Jumps};
use super::need::Need;
use super::park::Parked;
use crate::batch::{Batch, BatchBuilder};
use crate::decode::Decoded;
use crate::message::progress::{BatchId, Epoch};
use crate::message::record::{OwnedRecord, Record};
use crate::settle::Ledger;

/// Holds the current batch, the parked records, and the ledger.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// The current batch.
    pub builder: BatchBuilder,
    /// The records that wait.
    pub parked: Parked,
    /// What has settled.
    pub ledger: Ledger,
    last_batch: u64,
    jumps: Jumps,
}

/// A record that has started to wait.
#[derive(Debug)]
pub struct Waits {
    /// Its partition.
    pub partition: Partition,
    /// What it waits for.
    pub need: Need,
    /// Whether to request what it needs, because no earlier record has.
    pub ask: bool,
}

impl Books {
    /// Begins `partition` under a new assignment, to be read from `next` if that is known. Discards everything of an
    /// earlier assignment.
    pub fn assign(&mut self, partition: Partition, next: Option<NextOffset>) {
        self.parked.revoke(partition);
        let epoch = self.ledger.assign(partition);
        self.builder.assign(partition, epoch, next);
    }

    /// Gives `partition` up. Its records in flight will not be committed here. Returns the epoch of the assignment
    /// that has ended.
    pub fn revoke(&mut self, partition: Partition) -> Option<Epoch> {
        let epoch = self.ledger.revoke(partition);
        self.parked.revoke(partition);
        self.builder.revoke(partition);
        epoch
    }

    /// Adds `record` to the batch by `decode`, or to the parked records of its partition.
    pub fn take(
        &mut self,
        record: &Record<'_>,
        decode: &mut impl FnMut(&Record<'_>, &mut BatchBuilder) -> Decoded,
    ) -> Option<Waits> {
        if self.parked.holds(record.partition) {
            self.parked.queue(record);
            return None;
        }
        let jump = self.follow(record);
        let need = match decode(record, &mut self.builder) {
            Decoded::SchemaUnknown(schema) => Need::Schema(schema),
            Decoded::TableTooOld(route, time) => Need::Table(route, time),
            Decoded::Document | Decoded::Tombstone | Decoded::Undecodable | Decoded::Expired => {
                if let Some(jump) = jump {
                    self.jumps.note(jump);
                }
                return None;
            }
        };
        let ask = self.parked.park(record, need);
        Some(Waits { partition: record.partition, need, ask })
    }

    /// Takes `records` again in order, because what they waited for has arrived. Those that need something else stay
    /// parked.
    pub fn take_again(
        &mut self,
        records: &VecDeque<OwnedRecord>,
        decode: &mut impl FnMut(&Record<'_>, &mut BatchBuilder) -> Decoded,
    ) -> Vec<Waits> {
        records.iter().filter_map(|record| self.take(&record.as_record(), decode)).collect()
    }

    /// Dispatches the current batch and tracks it until it settles. Returns `None` if it holds only skipped records,
    /// which are settled immediately.
    pub fn dispatch(&mut self, now: Instant) -> Option<Batch> {
        self.last_batch += 1;
        let since = self.builder.opened().unwrap_or(now);
        let batch = self.builder.take(BatchId(self.last_batch));
        self.ledger.track(&batch.progress, since);
        if batch.items.is_empty() && batch.undecodable.is_empty() {
            self.ledger.settle(&batch.progress);
            return None;
        }
        Some(batch)
    }

    /// Returns whether records of `partition` are parked or in flight.
    pub(super) fn is_open(&self, partition: Partition) -> bool {
        self.parked.holds(partition) || self.ledger.open_since(partition).is_some()
    }

    /// Returns the offset up to which `partition` has been read. `None` if it is unknown, or if records beyond it are
    /// parked.
    pub(super) fn read_position(&self, partition: Partition) -> Option<NextOffset> {
        self.builder.next(partition).filter(|_| !self.parked.holds(partition))
    }

    /// Returns since when the oldest unsettled record of `partition` has been held: in flight, in the current batch,
    /// or parked. `None` if there is no such record.
    pub(super) fn held_since(&self, partition: Partition) -> Option<Instant> {
        let builder = self.builder.opened().filter(|_| self.builder.holds(partition));
        [self.ledger.open_since(partition), builder, self.parked.since(partition)].into_iter().flatten().min()
    }

    /// Returns the bytes of the records that are not in flight: in the current batch, or parked.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.builder.held_bytes() + self.parked.bytes()
    }

    /// Takes the jumps in the log that were noted since the last call.
    pub(super) fn take_jumps(&mut self) -> Vec<Jump> {
        self.jumps.take()
    }

    /// Compares the offset of `record` with the expected one. Offsets never go back within one log: if they do, the
    /// record belongs to another log, and its partition begins again.
    fn follow(&mut self, record: &Record<'_>) -> Option<Jump> {
        let from = self.builder.next(record.partition).filter(|next| next.0 != record.offset.0)?;
        let jump = Jump { partition: record.partition, from, to: record.offset };
        if jump.is_back() {
            self.assign(record.partition, None);
            self.jumps.note(jump);
            return None;
        }
        Some(jump)
    }
}

#[cfg(test)]
mod tests;
