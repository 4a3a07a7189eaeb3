//! The partitions that are assigned to this member, without Kafka: what is held of them, what is known of their logs,
//! and how much of them is read.
//!
//! The three begin and end with an assignment, together. So taking up, giving up and beginning anew go through here.

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

/// The assigned partitions.
#[derive(Debug)]
pub(super) struct Partitions {
    pub(super) books: Books,
    pub(super) logs: Logs,
    pub(super) reading: Reading,
}

/// Where a partition begins that was assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    /// Where the client reads from.
    pub(super) position: Position,
    /// Whether what was committed is of a deleted topic of this name.
    pub(super) is_of_old_topic: bool,
}

/// What became of a record that came.
#[derive(Debug)]
pub(super) enum Taken {
    /// It was taken; none: nothing is to be done for it.
    Record(Option<Waits>),
    /// It is beyond what is read: its partition is closed.
    Beyond,
    /// It comes before the committed offset, and is not taken again.
    Settled,
    /// Its log is another one than was committed past.
    OtherLog,
}

impl Partitions {
    /// Returns none, of a topic that is read as `reading` says.
    pub(super) fn new(reading: Reading) -> Self {
        Self { books: Books::default(), logs: Logs::default(), reading }
    }

    /// Takes `partition` up where it is `committed` with `metadata`; or at the beginning, where nothing is, or where it
    /// was committed for a topic of the same name that was deleted.
    pub(super) fn assign(&mut self, partition: Partition, committed: Option<NextOffset>, metadata: &str) -> Beginning {
        let identity = &mut self.logs.identity;
        identity.assign(partition, metadata);
        let is_of_old_topic = identity.strangers().contains(&partition);
        if is_of_old_topic {
            identity.begin_anew(partition);
        }
        let next = committed.filter(|_| !is_of_old_topic).or_else(|| self.reading.begin(partition));
        let is_closed = self.reading.open(partition, next);
        self.begin(partition, next);
        let position = match next.map(|next| self.logs.marks.assign(partition, metadata, next)) {
            Some(from) => Position::Offset(from.0),
            None if is_closed => Position::End,
            None if is_of_old_topic => Position::Beginning,
            // Where the client finds it committed, or at the beginning.
            None => Position::Invalid,
        };
        Beginning { position, is_of_old_topic }
    }

    /// Reads `partition` from its beginning: its log is another one.
    pub(super) fn begin_anew(&mut self, partition: Partition) {
        self.logs.identity.begin_anew(partition);
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

    /// Hands the batch being filled on; none where all of it was skipped.
    pub(super) fn dispatch(&mut self, now: Instant) -> Option<Batch> {
        self.logs.marks.send();
        self.books.dispatch(now)
    }

    /// Passes over what is no record, up to where the client has come: control records of transactions, and what was
    /// aborted. No record comes for those, so without this the last of them would be lag for ever. The client's
    /// `positions` say so, in the order of the records: all that is below one was handed over or is no record.
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

    /// Returns whether `partition` may be read on: none of its records waits, and it was not read to its end.
    pub(super) fn is_free(&self, partition: Partition) -> bool {
        !self.books.parked.holds(partition) && !self.reading.is_closed(partition)
    }

    /// Takes what may be committed; nothing where the group's offsets are not.
    pub(super) fn take_commits(&mut self) -> Vec<(Partition, NextOffset)> {
        if self.reading.commits() { self.books.ledger.take_commits() } else { Vec::new() }
    }

    /// Returns the metadata of a commit of `next`.
    pub(super) fn metadata(&self, partition: Partition, next: NextOffset) -> Option<String> {
        self.logs.metadata(partition, next, self.reading.note(partition))
    }

    /// Notes that `offsets` are committed. Of a partition that began again meanwhile, that says nothing.
    pub(super) fn committed(&mut self, offsets: &[(Partition, NextOffset)]) {
        for (partition, next) in offsets {
            if self.books.ledger.has_handed_out(*partition, *next) {
                self.logs.lag.note_committed(*partition, *next);
            }
        }
    }

    /// Begins `partition` at `next`, or where the client begins: nothing of an earlier assignment counts.
    fn begin(&mut self, partition: Partition, next: Option<NextOffset>) {
        self.books.assign(partition, next);
        self.logs.begin(partition, next);
    }

    /// Returns whether the client is past records of `partition` that are not in a batch: those that wait, and those of
    /// another log, which were dropped and are read again from its beginning once the client could go back.
    fn is_withheld(&self, partition: Partition) -> bool {
        self.books.parked.holds(partition) || self.logs.marks.is_other(partition)
    }
}

#[cfg(test)]
mod tests;
