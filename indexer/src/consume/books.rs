//! What the thread holds and how far each partition is, without Kafka: the batch being filled, the records that wait,
//! the ledger.
//!
//! The three must agree on which assignment a record belongs to. So assigning, revoking, taking and handing on go
//! through here.

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

/// The batch being filled, the records that wait, and the ledger.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) builder: BatchBuilder,
    pub(super) parked: Parked,
    pub(super) ledger: Ledger,
    last_batch: u64,
    jumps: Jumps,
}

/// A record that has begun to wait.
#[derive(Debug)]
pub(super) struct Waits {
    pub(super) partition: Partition,
    pub(super) need: Need,
    /// Whether what it needs has to be asked for: nobody has done so yet.
    pub(super) ask: bool,
}

impl Books {
    /// Begins `partition` under a new assignment, read from `next` on if that is known. Nothing of an earlier one
    /// counts any more.
    pub(super) fn assign(&mut self, partition: Partition, next: Option<NextOffset>) {
        self.parked.revoke(partition);
        let epoch = self.ledger.assign(partition);
        self.builder.assign(partition, epoch, next);
    }

    /// Gives `partition` up. What is in flight for it will not be committed here. Returns the epoch of the assignment
    /// that has ended.
    pub(super) fn revoke(&mut self, partition: Partition) -> Option<Epoch> {
        let epoch = self.ledger.revoke(partition);
        self.parked.revoke(partition);
        self.builder.revoke(partition);
        epoch
    }

    /// Puts `record` where it belongs: into the batch, by `decode`, or behind the records that wait.
    pub(super) fn take(
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

    /// Takes `records`, which waited for something that is there now, in their order. Those that need something else
    /// wait on.
    pub(super) fn take_again(
        &mut self,
        records: &VecDeque<OwnedRecord>,
        decode: &mut impl FnMut(&Record<'_>, &mut BatchBuilder) -> Decoded,
    ) -> Vec<Waits> {
        records.iter().filter_map(|record| self.take(&record.as_record(), decode)).collect()
    }

    /// Hands the batch being filled on, and tracks it until it settles. A batch of skipped records alone is settled at
    /// once: none then.
    pub(super) fn dispatch(&mut self, now: Instant) -> Option<Batch> {
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

    /// Returns whether records of `partition` wait or are in flight.
    pub(super) fn is_open(&self, partition: Partition) -> bool {
        self.parked.holds(partition) || self.ledger.open_since(partition).is_some()
    }

    /// Returns where reading of `partition` stands; none while that is unknown, or while records wait that were read
    /// beyond it.
    pub(super) fn stands(&self, partition: Partition) -> Option<NextOffset> {
        self.builder.next(partition).filter(|_| !self.parked.holds(partition))
    }

    /// Returns since when the oldest record of `partition` that is not settled has been held: in flight, in the batch
    /// being filled, or waiting. None where there is none.
    pub(super) fn held_since(&self, partition: Partition) -> Option<Instant> {
        let builder = self.builder.opened().filter(|_| self.builder.holds(partition));
        [self.ledger.open_since(partition), builder, self.parked.since(partition)].into_iter().flatten().min()
    }

    /// Bytes of the records that are not in flight: in the batch being filled, or waiting.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.builder.held_bytes() + self.parked.bytes()
    }

    /// Takes the jumps of the log that were seen since the last call.
    pub(super) fn take_jumps(&mut self) -> Vec<Jump> {
        self.jumps.take()
    }

    /// Compares where `record` stands with where reading stood. Offsets never go back within one log: a record that
    /// does belongs to another one, and its partition begins again.
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
