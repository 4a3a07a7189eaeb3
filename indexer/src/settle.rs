//! The ledger: which records are settled, and so how far each partition may be committed (P3). Pure.
//!
//! Batches settle in any order; a partition's offset moves only along the settled prefix of its batches. Records of one partition
//! stand in the batches in the order they were consumed, so it is enough to keep, per partition, one entry a batch.

use std::collections::{BTreeMap, VecDeque};

use shared::position::{NextOffset, Partition};

use crate::batch::{BatchId, Epoch, Progress};

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
    /// Batches with records of this partition that are not yet part of the settled prefix, in the order they were consumed.
    open: VecDeque<Entry>,
    /// Past the settled prefix; none while nothing has settled under this assignment.
    settled: Option<NextOffset>,
    /// What was last handed out to be committed.
    committed: Option<NextOffset>,
}

#[derive(Debug)]
struct Entry {
    batch: BatchId,
    next: NextOffset,
    settled: bool,
}

impl Ledger {
    /// Notes that `partition` was assigned, and gives the epoch of this assignment. What was known of an earlier one is dropped.
    pub fn assign(&mut self, partition: Partition) -> Epoch {
        self.last_epoch += 1;
        let epoch = Epoch(self.last_epoch);
        let account = Account { epoch, open: VecDeque::new(), settled: None, committed: None };
        self.accounts.insert(partition, account);
        epoch
    }

    /// Notes that `partition` was revoked: nothing that settles from now on counts for it.
    pub fn revoke(&mut self, partition: Partition) {
        self.accounts.remove(&partition);
    }

    /// The partitions that are assigned.
    pub fn assigned(&self) -> impl Iterator<Item = Partition> + '_ {
        self.accounts.keys().copied()
    }

    /// Notes that `batch` is under way and takes its partitions as far as `progress` says. Batches come in the order in which
    /// their records were consumed.
    pub fn track(&mut self, batch: BatchId, progress: &[Progress]) {
        for step in progress {
            let Some(account) = self.account(step) else {
                continue;
            };
            debug_assert!(account.open.back().is_none_or(|last| last.next < step.next), "batches out of order");
            account.open.push_back(Entry { batch, next: step.next, settled: false });
        }
    }

    /// Notes that every record of `batch` is settled. What belongs to an earlier assignment changes nothing.
    pub fn settle(&mut self, batch: BatchId, progress: &[Progress]) {
        for step in progress {
            if let Some(account) = self.account(step) {
                account.settle(batch);
            }
        }
    }

    /// What may be committed and has not been handed out before. It counts as committed from here on; when the commit fails, say
    /// so by [`Ledger::commit_failed`].
    pub fn take_commits(&mut self) -> Vec<(Partition, NextOffset)> {
        let mut commits = Vec::new();
        for (partition, account) in &mut self.accounts {
            if account.settled == account.committed {
                continue;
            }
            if let Some(next) = account.settled {
                account.committed = Some(next);
                commits.push((*partition, next));
            }
        }
        commits
    }

    /// Notes that what was handed out last may not have been committed: it is handed out again.
    pub fn commit_failed(&mut self) {
        for account in self.accounts.values_mut() {
            account.committed = None;
        }
    }

    /// Whether any of `partitions` has records that are not settled.
    pub fn is_open(&self, partitions: &[Partition]) -> bool {
        partitions.iter().any(|partition| self.accounts.get(partition).is_some_and(|account| !account.open.is_empty()))
    }

    fn account(&mut self, step: &Progress) -> Option<&mut Account> {
        self.accounts.get_mut(&step.partition).filter(|account| account.epoch == step.epoch)
    }
}

impl Account {
    fn settle(&mut self, batch: BatchId) {
        if let Some(entry) = self.open.iter_mut().find(|entry| entry.batch == batch) {
            entry.settled = true;
        }
        while let Some(first) = self.open.front()
            && first.settled
        {
            self.settled = Some(first.next);
            self.open.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
