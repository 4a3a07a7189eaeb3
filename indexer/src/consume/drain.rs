//! Taking partitions up and giving them up: send what is held, wait until it settles, commit, let go.

use kafka::position::NextOffset;
use rdkafka::topic_partition_list::Offset as Position;

use super::group::{self, Rebalance};
use super::*;

/// How long, after the drain, the end of a commit is awaited.
const COMMIT_PATIENCE: Duration = Duration::from_secs(5);

impl Consumer {
    pub(super) fn carry_out_rebalances(&mut self) {
        while let Some(rebalance) = self.consumer.context().next_rebalance() {
            match rebalance {
                Rebalance::Assign(list) => self.assign(&list),
                Rebalance::Revoke(list) => self.revoke(&list),
            }
            // A commit in flight while the group rebalances is refused, for partitions too that stay here.
            self.books.ledger.commit_failed();
        }
    }

    fn assign(&mut self, list: &TopicPartitionList) {
        let begins = self.look_up_beginnings(list);
        if let Err(error) = group::assign(&self.consumer, &begins) {
            tracing::error!(topic = self.topic, %error, "Cannot take over the assigned partitions.");
            return;
        }
        let partitions: Vec<Partition> = partitions_of(list).collect();
        for partition in partitions.iter().filter(|partition| self.reading.is_closed(**partition)) {
            self.pause_closed(*partition);
        }
        self.positions.distrust(&self.consumer, &partitions);
        if self.paused
            && let Err(error) = self.consumer.pause(list)
        {
            tracing::warn!(topic = self.topic, %error, "Cannot pause the assigned partitions.");
        }
        self.kafka.met();
        self.has_joined = true;
        self.note_rebalance("assigned");
        self.last_survey = None;
        self.note_assignment("Partitions were assigned.", list);
    }

    /// Looks up what is committed for the partitions of `list`, and begins them there; or at the beginning, where
    /// nothing is, or where it was committed for a topic of the same name that was deleted. Returns where to read from.
    fn look_up_beginnings(&mut self, list: &TopicPartitionList) -> TopicPartitionList {
        if list.count() == 0 {
            return list.clone();
        }
        if let Some(id) = survey::ask_topic_id(&self.consumer, &self.topic) {
            self.identity.note(id);
        }
        let begins = self.partition_list(partitions_of(list));
        let committed = self.consumer.committed_offsets(begins.clone(), self.settings.kafka_timeout);
        let committed = committed.unwrap_or_else(|error| {
            tracing::warn!(topic = self.topic, %error, "Cannot read the committed offsets; the client reads them itself.");
            begins.clone()
        });
        for (element, mut begin) in committed.elements().into_iter().zip(begins.elements()) {
            let partition = Partition(element.partition());
            self.identity.assign(partition, element.metadata());
            let committed = match element.offset() {
                Position::Offset(offset) => Some(NextOffset(offset)),
                _ => None,
            };
            let is_of_this_topic = self.is_of_this_topic(partition);
            let next = committed.filter(|_| is_of_this_topic).or_else(|| self.reading.begin(partition));
            let is_closed = self.reading.open(partition, next);
            self.begin_partition(partition, next);
            let from = next.map(|next| self.marks.assign(partition, element.metadata(), next));
            let position = match from {
                Some(from) => Position::Offset(from.0),
                None if is_closed => Position::End,
                // Where the client finds it committed, or at the beginning.
                None if is_of_this_topic => Position::Invalid,
                None => Position::Beginning,
            };
            if let Err(error) = begin.set_offset(position) {
                tracing::error!(topic = self.topic, %error, "Cannot set the offsets to read from.");
            }
        }
        begins
    }

    fn is_of_this_topic(&mut self, partition: Partition) -> bool {
        if !self.identity.strangers().contains(&partition) {
            return true;
        }
        tracing::error!(
            topic = self.topic,
            partition = partition.0,
            "The committed offset belongs to a deleted topic of this name: the partition is read from its beginning."
        );
        self.identity.begin_anew(partition);
        self.metrics.log_resets.with_label_values(&[self.topic.as_str(), "recreated"]).inc();
        false
    }

    /// Begins `partition` at `next`, or where the client begins: nothing of an earlier assignment counts.
    pub(super) fn begin_partition(&mut self, partition: Partition, next: Option<NextOffset>) {
        self.books.assign(partition, next);
        self.gaps.forget(partition);
        self.marks.forget(partition);
        self.lag.forget(partition);
        if let Some(next) = next {
            self.lag.note_committed(partition, next);
        }
    }

    fn revoke(&mut self, list: &TopicPartitionList) {
        let partitions: Vec<Partition> = partitions_of(list).collect();
        let is_lost = self.consumer.assignment_lost();
        self.note_rebalance(if is_lost { "lost" } else { "revoked" });
        if is_lost {
            tracing::warn!(
                topic = self.topic,
                "The group has already reassigned the partitions: records in flight are not committed here."
            );
        } else {
            self.drain(&partitions);
        }
        for partition in &partitions {
            if let Some(epoch) = self.books.revoke(*partition) {
                self.tasks.revoke(*partition, epoch);
            }
            self.identity.revoke(*partition);
            self.marks.forget(*partition);
            self.gaps.forget(*partition);
            self.unmeasure(*partition);
        }
        self.unpause(list);
        if let Err(error) = group::unassign(&self.consumer, list) {
            tracing::error!(topic = self.topic, %error, "Cannot release the revoked partitions.");
        }
        self.note_assignment("Partitions were revoked.", list);
    }

    /// Takes back whatever pause they have: librdkafka keeps it beyond the revocation, and this member may be given
    /// them again.
    fn unpause(&self, revoked: &TopicPartitionList) {
        if let Err(error) = self.consumer.resume(revoked) {
            tracing::warn!(topic = self.topic, %error, "Cannot resume the revoked partitions.");
        }
    }

    /// Drains all partitions, at the end, and lets the client close.
    pub(super) fn close(&mut self) {
        let partitions: Vec<Partition> = self.books.ledger.assigned().collect();
        self.drain(&partitions);
        self.tasks.stop();
        group::close(&self.consumer);
        self.end_questions();
    }

    /// Waits until those who hold the client too have ended: it closes when its last holder drops it.
    fn end_questions(&mut self) {
        let until = Instant::now() + survey::SURVEY_TIMEOUT * 4;
        while Arc::strong_count(&self.consumer) > 1 && Instant::now() < until {
            // What else is reported comes too late.
            self.reports.recv_timeout(POLL).ok();
        }
    }

    /// Waits until all that was consumed of `partitions` is settled, up to `indexer.drain_timeout`, and commits what
    /// is.
    fn drain(&mut self, partitions: &[Partition]) {
        if !self.books.builder.is_empty() {
            self.dispatch(Instant::now());
        }
        let until = Instant::now() + self.settings.drain_timeout;
        while self.books.ledger.is_open(partitions) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                tracing::warn!(
                    topic = self.topic,
                    drain_timeout_ms = self.settings.drain_timeout.as_millis(),
                    "Not all records settled in time; the partitions' next owner reads the others again."
                );
                break;
            }
            self.take_reports(left.min(POLL));
        }
        // An earlier commit must not come after this one: the offset would go back, and may be somebody else's by then.
        while self.is_committing && Instant::now() < until + COMMIT_PATIENCE {
            self.take_reports(POLL);
        }
        self.commit_now();
    }

    fn note_rebalance(&self, kind: &str) {
        self.metrics.consume.rebalances.with_label_values(&[self.topic.as_str(), kind]).inc();
    }

    fn note_assignment(&self, what: &str, changed: &TopicPartitionList) {
        let assigned = self.books.ledger.assigned().count();
        self.metrics.assigned_partitions.with_label_values(&[&self.topic]).set(as_i64(assigned));
        let partitions = numbers(partitions_of(changed));
        tracing::info!(topic = self.topic, partitions, assigned, "{what}");
    }
}

fn partitions_of(list: &TopicPartitionList) -> impl Iterator<Item = Partition> {
    list.elements().into_iter().map(|element| Partition(element.partition())).collect::<Vec<_>>().into_iter()
}
