//! How far the client has come beyond the last record: past the control records of transactions, and past what was
//! aborted.
//!
//! No record comes for those, so without this the last of them would be lag for ever. The client's position says so, in
//! the order of the records: all that is below it was handed over or is no record.

use std::collections::BTreeMap;

use kafka::position::NextOffset;
use rdkafka::topic_partition_list::Offset as Position;

use super::*;

/// Which positions of the client may be believed.
#[derive(Debug, Default)]
pub(super) struct Positions {
    /// What the client said when the partition was assigned: it may be of an earlier assignment until it changes.
    stale: BTreeMap<Partition, NextOffset>,
}

impl Positions {
    /// Notes that `partitions` begin, as of now: what the client says of them now may be old.
    pub(super) fn distrust(&mut self, consumer: &BaseConsumer<Group>, partitions: &[Partition]) {
        let known = positions(consumer);
        for partition in partitions {
            match known.get(partition) {
                Some(position) => self.stale.insert(*partition, *position),
                None => self.stale.remove(partition),
            };
        }
    }

    fn is_stale(&mut self, partition: Partition, position: NextOffset) -> bool {
        let is_stale = self.stale.get(&partition) == Some(&position);
        if !is_stale {
            self.stale.remove(&partition);
        }
        is_stale
    }
}

impl Consumer {
    /// Passes over what is no record, up to where the client has come.
    pub(super) fn pass_what_is_no_record(&mut self) {
        for (partition, position) in positions(&self.consumer) {
            if self.positions.is_stale(partition, position) || self.is_withheld(partition) {
                continue;
            }
            let Some(position) = self.reading.within_range(partition, position) else { continue };
            if self.books.builder.next(partition).is_none_or(|next| next < position) {
                self.books.builder.pass(partition, position);
            }
        }
        self.books.builder.open_with(Instant::now);
    }

    /// Returns whether the client is past records of `partition` that are not in a batch: those that wait, and those of
    /// another log, which were dropped and are read again from its beginning once the client could go back.
    fn is_withheld(&self, partition: Partition) -> bool {
        self.books.parked.holds(partition) || self.marks.is_other(partition)
    }
}

fn positions(consumer: &BaseConsumer<Group>) -> BTreeMap<Partition, NextOffset> {
    let Ok(list) = consumer.position() else {
        return BTreeMap::new();
    };
    let known = list.elements().into_iter().filter_map(|element| match element.offset() {
        Position::Offset(offset) => Some((Partition(element.partition()), NextOffset(offset))),
        Position::Beginning | Position::End | Position::Stored | Position::Invalid | Position::OffsetTail(_) => None,
    });
    known.collect()
}
