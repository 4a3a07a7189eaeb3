//! Holds the partitions that are assigned to this member, without Kafka: the records held, the knowledge about their
//! logs, and the range to read.
//!
//! The three begin and end together with an assignment. So all assigning, revoking and restarting goes through this
//! type.

use std::collections::BTreeMap;
use std::time::Instant;

use kafka::position::{NextOffset, Partition};
use rdkafka::topic_partition_list::Offset as Position;

use super::books::{Books, Waits};
use super::logs::Logs;
use super::marks::Seen;
use super::reading::Reading;
use crate::batch::{Batch, BatchBuilder};
use crate::decode::Decoded;
use crate::message::progress::Epoch;
use crate::message::record::Record;

/// Holds the assigned partitions.
#[derive(Debug)]
pub(super) struct Partitions {
    pub(super) books: Books,
    pub(super) logs: Logs,
    pub(super) reading: Reading,
}

/// Where an assigned partition begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    /// Where the client reads from.
    pub(super) position: Position,
    /// Whether the committed offset belongs to a deleted topic of this name.
    pub(super) is_of_old_topic: bool,
}

/// The outcome of taking a record.
#[derive(Debug)]
pub(super) enum Taken {
    /// The record was taken; the value is set if it must wait.
    Record(Option<Waits>),
    /// The record is beyond the range to read: its partition is closed.
    Beyond,
    /// The record is before the committed offset, and is not taken again.
    Settled,
    /// The record belongs to another log than the committed offset.
    OtherLog,
}

impl Partitions {
    /// Creates an empty set for a topic of which `reading` says what to read.
    pub(super) fn new(reading: Reading) -> Self {
        Self { books: Books::default(), logs: Logs::default(), reading }
    }

    /// Takes over `partition` at the `committed` offset with its `metadata`. Begins at the start of the log if
    /// nothing is committed, or if the offset belongs to a deleted topic of this name.
    pub(super) fn assign(&mut self, partition: Partition, committed: Option<NextOffset>, metadata: &str) -> Beginning {
        let identity = &mut self.logs.identity;
        identity.assign(partition, metadata);
        let is_of_old_topic = identity.strangers().contains(&partition);
        if is_of_old_topic {
            identity.begin_at_start(partition);
        }
        let next = committed.filter(|_| !is_of_old_topic).or_else(|| self.reading.begin(partition));
        let is_closed = self.reading.open(partition, next);
        self.begin(partition, next);
        let position = match next.map(|next| self.logs.marks.assign(partition, metadata, next)) {
            Some(from) => Position::Offset(from.0),
            None if is_closed => Position::End,
            // Not `Stored`: librdkafka would look for a committed offset of its own, and a failure of that would leave
            // the partition unread (librdkafka#5586).
            None => Position::Beginning,
        };
        Beginning { position, is_of_old_topic }
    }

    /// Reads `partition` from its beginning, because its log is another one.
    pub(super) fn begin_at_start(&mut self, partition: Partition) {
        self.logs.identity.begin_at_start(partition);
        self.begin(partition, None);
    }

    /// Gives `partition` up. Returns the epoch of the assignment that has ended.
    pub(super) fn revoke(&mut self, partition: Partition) -> Option<Epoch> {
        self.logs.revoke(partition);
        self.books.revoke(partition)
    }

    /// Takes `record`, the next of its partition.
    pub(super) fn take(
        &mut self,
        record: &Record<'_>,
        decode: &mut impl FnMut(&Record<'_>, &mut BatchBuilder) -> Decoded,
    ) -> Taken {
        if self.reading.is_beyond(record.partition, record.offset) {
            return Taken::Beyond;
        }
        match self.logs.marks.see(record) {
            Seen::New => Taken::Record(self.books.take(record, decode)),
            Seen::Settled => Taken::Settled,
            Seen::Other => Taken::OtherLog,
        }
    }

    /// Dispatches the current batch, or returns `None` if it held only skipped records.
    pub(super) fn dispatch(&mut self, now: Instant) -> Option<Batch> {
        self.logs.marks.send();
        self.books.dispatch(now)
    }

    /// Advances past offsets without records, up to the client's `positions`: control records of transactions, and
    /// aborted records. Otherwise they would count as lag forever. Positions follow the order of records: everything
    /// below them was delivered or is not a record.
    pub(super) fn pass(&mut self, positions: BTreeMap<Partition, NextOffset>) {
        for (partition, position) in positions {
            if self.logs.positions.is_stale(partition, position) || self.is_withheld(partition) {
                continue;
            }
            let Some(position) = self.reading.within_range(partition, position) else { continue };
            if self.books.builder.next(partition).is_none_or(|next| next < position) {
                self.books.builder.pass(partition, position);
            }
        }
    }

    /// Returns whether `partition` may be read further: none of its records is parked, and its range is not read to
    /// the end.
    pub(super) fn is_free(&self, partition: Partition) -> bool {
        !self.books.parked.holds(partition) && !self.reading.is_closed(partition)
    }

    /// Takes the offsets that may be committed; an empty list if the group's offsets are not committed.
    pub(super) fn take_commits(&mut self) -> Vec<(Partition, NextOffset)> {
        if self.reading.commits() { self.books.ledger.take_commits() } else { Vec::new() }
    }

    /// Returns the metadata of a commit of `next`.
    pub(super) fn metadata(&self, partition: Partition, next: NextOffset) -> Option<String> {
        self.logs.metadata(partition, next, self.reading.note(partition))
    }

    /// Notes that `offsets` are committed. Ignores partitions that have begun again since.
    pub(super) fn committed(&mut self, offsets: &[(Partition, NextOffset)]) {
        for (partition, next) in offsets {
            if self.books.ledger.has_handed_out(*partition, *next) {
                self.logs.lag.note_committed(*partition, *next);
            }
        }
    }

    /// Begins `partition` at `next`, or where the client begins. Discards everything of an earlier assignment.
    fn begin(&mut self, partition: Partition, next: Option<NextOffset>) {
        self.books.assign(partition, next);
        self.logs.begin(partition, next);
    }

    /// Returns whether the client is past records of `partition` that are in no batch: parked records, or records of
    /// another log, which were dropped and are read again after the rewind.
    fn is_withheld(&self, partition: Partition) -> bool {
        self.books.parked.holds(partition) || self.logs.marks.is_other(partition)
    }
}

#[cfg(test)]
mod tests;
