//! Records in, batches out.

use kafka::position::Offset;
use rdkafka::Message;

use super::marks::Seen;
use super::*;

impl Consumer {
    /// Takes what the client has, up to a turn's worth. While paused, this only serves the client's events.
    ///
    /// Only the first poll waits: what comes after it is there already. So a turn takes as long as its records take to
    /// decode, however they trickle in, and the age of a batch is looked at between any two waits.
    pub(super) fn take_records(&mut self) -> KafkaResult<()> {
        let mut taken = 0;
        let most = self.reading.allowance(RECORDS_PER_TURN, Instant::now());
        if most == 0 {
            // Whoever limits the rate waits here instead of for a record.
            self.take_reports(REPORT_POLL);
            return Ok(());
        }
        let mut wait = self.poll_wait();
        while taken < most {
            match self.consumer.poll(wait) {
                None => break,
                Some(Ok(message))
                    if self.reading.is_beyond(Partition(message.partition()), Offset(message.offset())) =>
                {
                    self.pause_closed(Partition(message.partition()));
                }
                Some(Ok(message)) => {
                    let record = Record::of(&message, &mut self.headers);
                    match self.marks.see(&record) {
                        Seen::New => {}
                        Seen::Settled => continue,
                        Seen::Other => break,
                    }
                    let waits = self.books.take(&record, &mut |record, batch| self.decoder.decode(record, batch));
                    taken += 1;
                    drop(message);
                    if let Some(waits) = waits {
                        self.wait_for(waits);
                    }
                }
                Some(Err(error @ (KafkaError::MessageConsumptionFatal(_) | KafkaError::ClientCreation(_)))) => {
                    return Err(error);
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, topic = self.topic, "Cannot read from Kafka; the client tries again.")
                }
            }
            wait = Duration::ZERO;
            if !self.paused && !self.has_memory() {
                break;
            }
        }
        self.books.builder.open_with(Instant::now);
        self.leave_other_logs();
        self.reading.spend(taken);
        self.metrics.consumed.inc_by(taken as u64);
        Ok(())
    }

    /// Returns how long the first poll of a turn may wait: not beyond the moment in which the batch being filled is
    /// due.
    fn poll_wait(&self) -> Duration {
        let Some(opened) = self.books.builder.opened() else {
            return POLL;
        };
        let left = self.settings.max_age.saturating_sub(opened.elapsed());
        // A batch that is due and not gone waits for a report, which no poll returns early for.
        if left.is_zero() { REPORT_POLL } else { left.min(POLL) }
    }

    /// Sends the batch being filled if it is full or has waited long enough, and if one more may be in flight.
    pub(super) fn dispatch_if_due(&mut self, now: Instant) {
        let is_due = self.is_full() || self.books.builder.age(now) >= self.settings.max_age;
        if !self.books.builder.is_empty() && is_due && self.memory_budget.has_batch() {
            self.dispatch(now);
        }
    }

    pub(super) fn dispatch(&mut self, now: Instant) {
        self.marks.send();
        if let Some(batch) = self.books.dispatch(now) {
            self.memory_budget.start(batch.held_bytes());
            self.metrics.consume.dispatched(&self.topic, batch.items.len(), batch.body.len());
            self.tasks.deliver(batch);
        }
    }

    /// Takes up what the tasks report; waits up to `wait` for the first report.
    pub(super) fn take_reports(&mut self, wait: Duration) {
        let mut next = if wait.is_zero() { self.reports.try_recv().ok() } else { self.reports.recv_timeout(wait).ok() };
        while let Some(report) = next {
            match report {
                Report::SetAside(set_aside) => {
                    self.memory_budget.set_aside(set_aside.freed_bytes);
                    self.books.ledger.set_aside(&set_aside.progress);
                }
                Report::Settled(settled) => {
                    match settled.was_set_aside {
                        true => self.memory_budget.finish_set_aside(settled.held_bytes),
                        false => self.memory_budget.finish(settled.held_bytes),
                    }
                    self.books.ledger.settle(&settled.progress);
                }
                Report::Schema(id, answer) => self.take_schema(id, answer),
                Report::Table(time) => self.take_table(time),
                Report::Survey(survey) => self.take_survey(&survey),
                Report::Committed(offsets, outcome) => self.end_commit(&offsets, outcome),
            }
            next = self.reports.try_recv().ok();
        }
    }
}
