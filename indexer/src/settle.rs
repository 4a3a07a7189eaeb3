//! The ledger: records what has settled, and so how far each partition may be committed (P3). Pure.
//!
//! Batches settle in any order, but a partition's offset moves only up to the first open record. The ledger keeps one
//! entry for each batch in flight with records of the partition, and nothing else. Batches that settle behind an open
//! one cost no entry, so memory and time depend on what is in flight, not on how long one batch stays open.

use std::collections::BTreeMap;
use std::time::Instant;

use kafka::position::{NextOffset, Offset, Partition};

use crate::message::progress::{Epoch, Progress};

/// How far each assigned partition is settled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ledger {
    accounts: BTreeMap<Partition, Account>,
    last_epoch: u64,
}

/// The state of one assigned partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Account {
    epoch: Epoch,
    /// The unsettled batches, by their first record of this partition.
    open: BTreeMap<Offset, Open>,
    /// The first tracked record, and the offset after the last one. `None` until a record is tracked under
    /// this assignment.
    tracked: Option<(NextOffset, NextOffset)>,
    /// The offset that was last handed out for a commit.
    committed: Option<NextOffset>,
}

/// An unsettled batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Open {
    /// Since when its first record has been held.
    since: Instant,
    /// Whether all is settled except for documents that were set aside.
    set_aside: bool,
}

impl Ledger {
    /// Notes that `partition` was assigned, or starts again, and returns the epoch of this assignment. Forgets any
    /// earlier assignment.
    pub fn assign(&mut self, partition: Partition) -> Epoch {
        self.last_epoch += 1;
        let epoch = Epoch(self.last_epoch);
        let account = Account { epoch, open: BTreeMap::new(), tracked: None, committed: None };
        self.accounts.insert(partition, account);
        epoch
    }

    /// Notes that `partition` was revoked: nothing that settles afterwards counts for it. Returns the epoch of the
    /// assignment that ended.
    pub fn revoke(&mut self, partition: Partition) -> Option<Epoch> {
        self.accounts.remove(&partition).map(|account| account.epoch)
    }

    /// Returns the assigned partitions.
    pub fn assigned(&self) -> impl Iterator<Item = Partition> + '_ {
        self.accounts.keys().copied()
    }

    /// Returns whether `partition` is assigned.
    pub fn is_assigned(&self, partition: Partition) -> bool {
        self.accounts.contains_key(&partition)
    }

    /// Notes that a batch is in flight and will take its partitions as far as `progress` says. Its first record has
    /// been held since `since`. Batches must be tracked in the order in which their records were consumed.
    pub fn track(&mut self, progress: &[Progress], since: Instant) {
        for step in progress {
            let Some(account) = self.account(step) else {
                continue;
            };
            debug_assert!(account.tracked.is_none_or(|(_, end)| end <= step.next), "batches out of order");
            account.open.insert(step.first, Open { since, set_aside: false });
            let start = account.tracked.map_or(NextOffset(step.first.0), |(start, _)| start);
            account.tracked = Some((start, step.next));
        }
    }

    /// Notes that every record of a batch is settled except for some that were set aside. They still hold their
    /// partitions back, but nothing has to wait for them.
    pub fn set_aside(&mut self, progress: &[Progress]) {
        for step in progress {
            if let Some(open) = self.account(step).and_then(|account| account.open.get_mut(&step.first)) {
                open.set_aside = true;
            }
        }
    }

    /// Notes that every record of a batch is settled. Ignores partitions whose epoch is of an earlier assignment.
    pub fn settle(&mut self, progress: &[Progress]) {
        for step in progress {
            if let Some(account) = self.account(step) {
                account.open.remove(&step.first);
            }
        }
    }

    /// Takes the offsets that may be committed and have not been handed out before. They count as committed from here
    /// on; if the commit fails, call [`Ledger::commit_failed`].
    pub fn take_commits(&mut self) -> Vec<(Partition, NextOffset)> {
        let mut commits = Vec::new();
        for (partition, account) in &mut self.accounts {
            let settled = account.settled();
            if settled == account.committed {
                continue;
            }
            if let Some(next) = settled {
                account.committed = Some(next);
                commits.push((*partition, next));
            }
        }
        commits
    }

    /// Returns whether `next` is the last offset handed out for `partition` under its assignment.
    pub fn has_handed_out(&self, partition: Partition, next: NextOffset) -> bool {
        self.accounts.get(&partition).is_some_and(|account| account.committed == Some(next))
    }

    /// Notes that the offsets handed out last may not have been committed: they are handed out again.
    pub fn commit_failed(&mut self) {
        for account in self.accounts.values_mut() {
            account.committed = None;
        }
    }

    /// Returns since when the first unsettled record of `partition` has been held; `None` if all are settled.
    pub fn open_since(&self, partition: Partition) -> Option<Instant> {
        self.accounts.get(&partition)?.open.first_key_value().map(|(_, open)| open.since)
    }

    /// Returns whether any of `partitions` has unsettled records other than those that were set aside.
    pub fn is_open(&self, partitions: &[Partition]) -> bool {
        let accounts = partitions.iter().filter_map(|partition| self.accounts.get(partition));
        accounts.flat_map(|account| account.open.values()).any(|open| !open.set_aside)
    }

    fn account(&mut self, step: &Progress) -> Option<&mut Account> {
        self.accounts.get_mut(&step.partition).filter(|account| account.epoch == step.epoch)
    }
}

impl Account {
    /// Returns the end of the settled prefix: the first open record, or the end of the tracked records. `None` until
    /// something is settled.
    fn settled(&self) -> Option<NextOffset> {
        let (start, end) = self.tracked?;
        let settled = self.open.first_key_value().map_or(end, |(first, _)| NextOffset(first.0));
        (settled > start).then_some(settled)
    }
}

#[cfg(test)]
mod tests;
