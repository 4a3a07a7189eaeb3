//! Which positions of the client may be believed. Pure.

use std::collections::BTreeMap;

use kafka::position::{NextOffset, Partition};

/// What the client said when a partition was assigned: it may be of an earlier assignment until it changes.
#[derive(Debug, Default)]
pub(super) struct Positions {
    stale: BTreeMap<Partition, NextOffset>,
}

impl Positions {
    /// Notes that `partitions` begin, as of now: what the client says of them now, `known`, may be old.
    pub(super) fn distrust(&mut self, known: &BTreeMap<Partition, NextOffset>, partitions: &[Partition]) {
        for partition in partitions {
            match known.get(partition) {
                Some(position) => self.stale.insert(*partition, *position),
                None => self.stale.remove(partition),
            };
        }
    }

    /// Returns whether `position` of `partition` may be old.
    pub(super) fn is_stale(&mut self, partition: Partition, position: NextOffset) -> bool {
        let is_stale = self.stale.get(&partition) == Some(&position);
        if !is_stale {
            self.stale.remove(&partition);
        }
        is_stale
    }
}

#[cfg(test)]
mod tests;
