//! Decides which positions of the client can be trusted. Pure.

use std::collections::BTreeMap;

use kafka::position::{NextOffset, Partition};

/// Holds the client's positions at assignment, which may be from an earlier assignment until they change.
#[derive(Debug, Default)]
pub(super) struct Positions {
    stale: BTreeMap<Partition, NextOffset>,
}

impl Positions {
    /// Notes that `partitions` begin now, so that their positions in `known` may be outdated.
    pub(super) fn distrust(&mut self, known: &BTreeMap<Partition, NextOffset>, partitions: &[Partition]) {
        for partition in partitions {
            match known.get(partition) {
                Some(position) => self.stale.insert(*partition, *position),
                None => self.stale.remove(partition),
            };
        }
    }

    /// Returns whether `position` of `partition` may be outdated.
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
