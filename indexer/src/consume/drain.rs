//! Giving partitions up, at a rebalance or at the end: send what is in hand, wait until it settles, commit, let go.

use super::group::{self, Rebalance};
use super::*;

impl Consumer {
    pub(super) fn carry_out_rebalances(&mut self) {
        while let Some(rebalance) = self.consumer.context().next_rebalance() {
            match rebalance {
                Rebalance::Assign(list) => self.assign(&list),
                Rebalance::Revoke(list) => self.revoke(&list),
            }
            // A commit under way while the group rebalances is refused, for partitions too that stay here.
            self.ledger.commit_failed();
        }
    }

    fn assign(&mut self, list: &TopicPartitionList) {
        for partition in partitions_of(list) {
            let epoch = self.ledger.assign(partition);
            self.filling.assign(partition, epoch);
        }
        if let Err(error) = group::assign(&self.consumer, list) {
            tracing::error!(%error, "The assigned partitions could not be taken up.");
            return;
        }
        if self.paused
            && let Err(error) = self.consumer.pause(list)
        {
            tracing::warn!(%error, "The assigned partitions could not be paused.");
        }
        self.kafka.met();
        self.note_assignment("Partitions were assigned.", list);
    }

    fn revoke(&mut self, list: &TopicPartitionList) {
        let partitions: Vec<Partition> = partitions_of(list).collect();
        if self.consumer.assignment_lost() {
            tracing::warn!(
                "The partitions are already lost to the group: what is under way for them will not be committed here."
            );
        } else {
            self.drain(&partitions);
        }
        for partition in &partitions {
            self.ledger.revoke(*partition);
            self.parked.revoke(*partition);
            self.filling.revoke(*partition);
        }
        self.unpause(list);
        if let Err(error) = group::unassign(&self.consumer, list) {
            tracing::error!(%error, "The revoked partitions could not be given up.");
        }
        self.note_assignment("Partitions were revoked.", list);
    }

    /// Takes back whatever pause they have: librdkafka keeps it beyond the revocation, and this member may be given them again.
    fn unpause(&self, revoked: &TopicPartitionList) {
        if let Err(error) = self.consumer.resume(revoked) {
            tracing::warn!(%error, "The revoked partitions could not be resumed.");
        }
    }

    /// Drains all partitions, at the end.
    pub(super) fn drain_all(&mut self) {
        let partitions: Vec<Partition> = self.ledger.assigned().collect();
        self.drain(&partitions);
        self.tasks.stop();
    }

    /// Waits until all that was consumed of `partitions` is settled, up to `indexer.drain_timeout`, and commits what is.
    fn drain(&mut self, partitions: &[Partition]) {
        if !self.filling.is_empty() {
            self.dispatch();
        }
        let until = Instant::now() + self.settings.drain_timeout;
        while self.ledger.is_open(partitions) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                tracing::warn!(
                    drain_timeout_ms = self.settings.drain_timeout.as_millis(),
                    "Not everything settled in time; what did not is read again by the partitions' next owner."
                );
                break;
            }
            self.take_reports(left.min(POLL));
        }
        self.commit(CommitMode::Sync);
    }

    fn note_assignment(&self, what: &str, changed: &TopicPartitionList) {
        let assigned = self.ledger.assigned().count();
        self.metrics.assigned_partitions.with_label_values(&[&self.topic]).set(as_i64(assigned));
        let changed: Vec<i32> = partitions_of(changed).map(|partition| partition.0).collect();
        tracing::info!(topic = self.topic, partitions = ?changed, assigned, "{what}");
    }
}

fn partitions_of(list: &TopicPartitionList) -> impl Iterator<Item = Partition> {
    list.elements().into_iter().map(|element| Partition(element.partition())).collect::<Vec<_>>().into_iter()
}
