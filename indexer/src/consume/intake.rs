//! Records in, batches out.

use super::park::Need;
use super::*;

impl Consumer {
    /// Takes what the client has, up to a turn's worth. While paused, this only serves the client's events.
    pub(super) fn take_records(&mut self) -> KafkaResult<()> {
        let mut taken = 0;
        while taken < RECORDS_PER_TURN {
            match self.consumer.poll(POLL) {
                None => break,
                Some(Ok(message)) => {
                    let record = Record::of(&message, &mut self.headers);
                    let unknown = take(&mut self.decoder, &mut self.filling, &mut self.parked, &record);
                    taken += 1;
                    drop(message);
                    if let Some(parked) = unknown {
                        self.wait_for(parked);
                    }
                }
                Some(Err(error @ (KafkaError::MessageConsumptionFatal(_) | KafkaError::ClientCreation(_)))) => {
                    return Err(error);
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, topic = self.topic, "Kafka could not be read; the client tries again.")
                }
            }
            if !self.paused && !self.has_room() {
                break;
            }
        }
        self.filling.opened_at(Instant::now());
        self.metrics.consumed.inc_by(taken as u64);
        Ok(())
    }

    /// Sends the batch being filled on its way if it is full or has waited long enough, and if one more may be under way.
    pub(super) fn dispatch_if_due(&mut self, now: Instant) {
        let is_due = self.is_full() || self.filling.age(now) >= self.settings.max_age;
        if !self.filling.is_empty() && is_due && self.room.has_batch() {
            self.dispatch();
        }
    }

    pub(super) fn dispatch(&mut self) {
        self.next_batch += 1;
        let batch = self.filling.take(BatchId(self.next_batch));
        self.ledger.track(batch.id, &batch.progress);
        if batch.items.is_empty() && batch.undecodable.is_empty() {
            // Nothing but tombstones: there is nothing to wait for.
            self.ledger.settle(batch.id, &batch.progress);
            return;
        }
        self.room.start(batch.held_bytes());
        self.tasks.deliver(batch);
    }

    /// Takes up what the tasks report; waits up to `wait` for the first report.
    pub(super) fn take_reports(&mut self, wait: Duration) {
        let mut next = if wait.is_zero() { self.reports.try_recv().ok() } else { self.reports.recv_timeout(wait).ok() };
        while let Some(report) = next {
            match report {
                Report::Settled(settled) => {
                    self.room.finish(settled.held_bytes);
                    self.ledger.settle(settled.id, &settled.progress);
                }
                Report::Schema(id, answer) => self.take_schema(id, answer),
                Report::Table(read_at) => self.take_table(read_at),
            }
            next = self.reports.try_recv().ok();
        }
    }
}

/// A record that has begun to wait.
pub(super) struct Waits {
    pub(super) partition: Partition,
    pub(super) need: Need,
    /// Its placement time, if it waits for the table.
    pub(super) time: i64,
    /// Whether what it needs has to be asked for: nobody has done so yet.
    pub(super) ask: bool,
}

/// Puts `record` where it belongs: into the batch, or behind the records that wait.
pub(super) fn take(
    decoder: &mut Decoder,
    filling: &mut Filling,
    parked: &mut Parked,
    record: &Record<'_>,
) -> Option<Waits> {
    if parked.holds(record.partition) {
        parked.queue(record);
        return None;
    }
    let (need, time) = match decoder.decode(record, filling) {
        Decoded::SchemaUnknown(schema) => (Need::Schema(schema), 0),
        Decoded::TableTooOld(time) => (Need::Table, time),
        Decoded::Document | Decoded::Tombstone | Decoded::Undecodable | Decoded::Expired => return None,
    };
    let ask = parked.park(record, need);
    Some(Waits { partition: record.partition, need, time, ask })
}
