//! Holding no more than may be held, and knowing whether the cluster is there.

use super::*;

impl Consumer {
    /// Returns whether more records may be taken: there are bytes left, and the batch being filled is not waiting to be
    /// sent.
    pub(super) fn has_memory(&self) -> bool {
        !self.is_full() && self.memory_budget.has_bytes(self.books.waiting_bytes())
    }

    pub(super) fn may_resume(&self) -> bool {
        !self.is_full() && self.memory_budget.has_drained(self.books.waiting_bytes())
    }

    pub(super) fn is_full(&self) -> bool {
        let settings = &self.settings;
        let max_body_bytes = settings.max_body_bytes.min(self.tasks.target_bytes());
        self.books.builder.documents() >= settings.max_documents
            || self.books.builder.undecodable() >= settings.max_documents
            || self.books.builder.body_bytes() >= max_body_bytes
    }

    pub(super) fn wait_for_memory(&mut self, shutdown: &CancellationToken) {
        let until = Instant::now() + PATIENCE;
        while !shutdown.is_cancelled() {
            self.take_reports(POLL);
            let now = Instant::now();
            self.dispatch_if_due(now);
            if self.has_memory() {
                return;
            }
            if now >= until {
                return self.pause();
            }
        }
    }

    pub(super) fn pause(&mut self) {
        let partitions = self.partition_list(self.books.ledger.assigned());
        if let Err(error) = self.consumer.pause(&partitions) {
            tracing::warn!(topic = self.topic, %error, "Cannot pause the partitions.");
            return;
        }
        self.paused = true;
        self.metrics.paused.with_label_values(&[&self.topic]).set(1);
        tracing::info!(
            topic = self.topic,
            held_bytes = self.memory_budget.bytes(),
            batches = self.memory_budget.batches(),
            "The limit of records in flight is reached: consuming pauses until half of them have settled."
        );
    }

    pub(super) fn resume(&mut self) {
        let free = self
            .books
            .ledger
            .assigned()
            .filter(|partition| !self.books.parked.holds(*partition) && !self.reading.is_closed(*partition));
        let partitions = self.partition_list(free);
        if let Err(error) = self.consumer.resume(&partitions) {
            tracing::warn!(topic = self.topic, %error, "Cannot resume the partitions.");
            return;
        }
        self.paused = false;
        self.metrics.paused.with_label_values(&[&self.topic]).set(0);
        tracing::info!(topic = self.topic, "Consuming resumes.");
    }

    /// Asks a cluster that seemed to be down whether it is back.
    ///
    /// A member without partitions counts too. By the protocol `classic` its empty assignment says that it has joined;
    /// by `consumer` nothing says so, but the group's coordinator answers it.
    pub(super) fn probe(&self) {
        let may_be_spare = !self.settings.tells_spares && self.started.elapsed() >= SPARE_AFTER;
        let is_member = self.has_joined || (may_be_spare && self.coordinator_answers());
        if !is_member {
            return;
        }
        if self.consumer.fetch_metadata(Some(&self.topic), PROBE_TIMEOUT).is_ok() {
            self.kafka.met();
        }
    }

    fn coordinator_answers(&self) -> bool {
        let first = self.partition_list(std::iter::once(Partition(0)));
        self.consumer.committed_offsets(first, PROBE_TIMEOUT).is_ok()
    }
}
