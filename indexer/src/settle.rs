//! The ledger: which records are settled, and so how far each partition may be committed (P3). Pure.
//!
//! Batches settle in any order; a partition's offset moves only up to the first record that is still open. The ledger
//! keeps what is open and nothing else: an entry for each batch in flight that holds records of the partition. What has
//! settled behind it costs no entry, so memory and time follow what is in flight, not how long one batch stands.

use std::collections::BTreeMap;
use std::time::Instant;

use kafka::position::{NextOffset, Offset, Partition};

use crate::message::progress::{Epoch, Progress};

/// How far each assigned partition is settled.
#[derive(Debug, Default)]
pub struct Ledger {
    accounts: BTreeMap<Partition, Account>,
    last_epoch: u64,
}

/// The state of one assigned partition.
#[derive(Debug)]
struct Account {
    epoch: Epoch,
    /// The batches that are not settled, by their first record of this partition.
    open: BTreeMap<Offset, Open>,
    /// The first record that was tracked, and past the last one; none while nothing was tracked under this assignment.
    tracked: Option<(NextOffset, NextOffset)>,
    /// What was last handed out to be committed.
    committed: Option<NextOffset>,
}

/// A batch that is not settled.
#[derive(Debug)]
struct Open {
    /// Since when its first record has been held.
    since: Instant,
    /// Whether it is settled except for documents of which it is not known when they will be.
    set_aside: bool,
}

impl Ledger {
    /// Notes that `partition` was assigned, or begins again, and returns the epoch of this assignment. Drops what was
    /// known of an earlier one.
    pub fn assign(&mut self, partition: Partition) -> Epoch {
        self.last_epoch += 1;
        let epoch = Epoch(self.last_epoch);
        let account = Account { epoch, open: BTreeMap::new(), tracked: None, committed: None };
        self.accounts.insert(partition, account);
        epoch
    }

    /// Notes that `partition` was revoked: nothing that settles from now on counts for it. Returns the epoch of the
    /// assignment that has ended.
    pub fn revoke(&mut self, partition: Partition) -> Option<Epoch> {
        self.accounts.remove(&partition).map(|account| account.epoch)
    }

    /// Returns the partitions that are assigned.
    pub fn assigned(&self) -> impl Iterator<Item = Partition> + '_ {
        self.accounts.keys().copied()
    }

    /// Returns whether `partition` is assigned.
    pub fn is_assigned(&self, partition: Partition) -> bool {
        self.accounts.contains_key(&partition)
    }

    /// Notes that a batch is in flight and takes its partitions as far as `progress` says; its first record has been
    /// held since `since`. Batches come in the order in which their records were consumed.
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

    /// Notes that every record of a batch is settled except for some that were set aside: they hold their partitions
    /// back, but nobody need wait for them.
    pub fn set_aside(&mut self, progress: &[Progress]) {
        for step in progress {
            if let Some(open) = self.account(step).and_then(|account| account.open.get_mut(&step.first)) {
                open.set_aside = true;
            }
        }
    }

    /// Notes that every record of a batch is settled. What belongs to an earlier assignment changes nothing.
    pub fn settle(&mut self, progress: &[Progress]) {
        for step in progress {
            if let Some(account) = self.account(step) {
                account.open.remove(&step.first);
            }
        }
    }

    /// Takes what may be committed and has not been handed out before. It counts as committed from here on; when the
    /// commit fails, call [`Ledger::commit_failed`].
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

    /// Returns whether `next` is what was last handed out for `partition` under its assignment.
    pub fn has_handed_out(&self, partition: Partition, next: NextOffset) -> bool {
        self.accounts.get(&partition).is_some_and(|account| account.committed == Some(next))
    }

    /// Notes that what was handed out last may not have been committed: it is handed out again.
    pub fn commit_failed(&mut self) {
        for account in self.accounts.values_mut() {
            account.committed = None;
        }
    }

    /// Returns since when the first record of `partition` that is not settled has been held; none where all is settled.
    pub fn open_since(&self, partition: Partition) -> Option<Instant> {
        self.accounts.get(&partition)?.open.first_key_value().map(|(_, open)| open.since)
    }

    /// Returns whether any of `partitions` has records that are not settled, without those that were set aside.
    pub fn is_open(&self, partitions: &[Partition]) -> bool {
        let accounts = partitions.iter().filter_map(|partition| self.accounts.get(partition));
        accounts.flat_map(|account| account.open.values()).any(|open| !open.set_aside)
    }

    fn account(&mut self, step: &Progress) -> Option<&mut Account> {
        self.accounts.get_mut(&step.partition).filter(|account| account.epoch == step.epoch)
    }
}

impl Account {
    /// Returns up to where all is settled: to the first record that is open, or to the end of what was read. None while
    /// nothing is.
    fn settled(&self) -> Option<NextOffset> {
        let (start, end) = self.tracked?;
        let settled = self.open.first_key_value().map_or(end, |(first, _)| NextOffset(first.0));
        (settled > start).then_some(settled)
    }
}

#[cfg(test)]
mod tests;
