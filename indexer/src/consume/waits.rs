//! Partitions that wait for a schema or for a newer table of backing indices, and what happens when it comes.

use std::collections::VecDeque;
use std::sync::Arc;

use avro::Schema;
use registry::RegistryError;
use registry::wire::SchemaId;

use super::books::Waits;
use super::park::Need;
use super::*;
use crate::backing::now_millis;
use crate::decode::Missing;
use crate::message::record::OwnedRecord;

impl Consumer {
    pub(super) fn wait_for(&mut self, waits: Waits) {
        let partitions = self.partition_list(std::iter::once(waits.partition));
        if let Err(error) = self.consumer.pause(&partitions) {
            tracing::warn!(topic = self.topic, %error, partition = waits.partition.0, "Cannot pause a partition that waits.");
        }
        let reason = match waits.need {
            Need::Table(time) if time > now_millis() => {
                self.note_ahead(waits.partition, time);
                "ahead"
            }
            Need::Table(_) | Need::Schema(_) => waits.need.as_str(),
        };
        self.metrics.placement.parked.with_label_values(&[self.topic.as_str(), reason]).inc();
        match waits.need {
            Need::Schema(schema) if waits.ask => {
                tracing::info!(
                    topic = self.topic,
                    partition = waits.partition.0,
                    schema_id = schema.0,
                    "A record names a schema that is not in memory; its partition waits for the registry."
                );
                self.tasks.fetch_schema(schema, self.schemas.clone());
            }
            Need::Table(time) if waits.ask => self.tasks.renew_table(time),
            Need::Schema(_) | Need::Table(_) => {}
        }
    }

    /// Sets how many partitions wait, by what for.
    pub(super) fn measure_parked(&self) {
        for (reason, count) in self.books.parked.counts() {
            self.metrics.consume.parked.with_label_values(&[self.topic.as_str(), reason]).set(as_i64(count));
        }
    }

    /// Reports the first record that is dated ahead of the clock, and then with every doubling.
    fn note_ahead(&mut self, partition: Partition, time: i64) {
        self.ahead += 1;
        if self.ahead.is_power_of_two() {
            tracing::warn!(
                topic = self.topic,
                partition = partition.0,
                millis_ahead = time.saturating_sub(now_millis()),
                seen = self.ahead,
                "A record is dated ahead of this indexer's clock; its partition waits until then. Synchronise the \
                 clocks with NTP."
            );
        }
    }

    /// Takes up that the table of backing indices can place the placement time `time`, or never will: that is too far
    /// ahead.
    pub(super) fn take_table(&mut self, time: i64) {
        self.release(Need::Table(time));
    }

    pub(super) fn take_schema(&mut self, id: SchemaId, answer: Result<Arc<Schema>, RegistryError>) {
        match answer {
            Ok(schema) => self.decoder.note_schema(id, schema),
            Err(error) => self.decoder.note_missing(id, Missing::of(&error)),
        }
        self.release(Need::Schema(id));
        if !self.books.parked.awaits_schema() {
            self.schemas.met();
        }
    }

    fn release(&mut self, need: Need) {
        for (partition, records) in self.books.parked.release(need) {
            self.take_parked(partition, records);
        }
    }

    fn take_parked(&mut self, partition: Partition, records: VecDeque<OwnedRecord>) {
        let waits = self.books.take_again(&records, &mut |record, batch| self.decoder.decode(record, batch));
        for waits in waits {
            self.wait_for(waits);
        }
        if self.books.parked.holds(partition) || self.paused || self.reading.is_closed(partition) {
            return;
        }
        let partitions = self.partition_list(std::iter::once(partition));
        if let Err(error) = self.consumer.resume(&partitions) {
            tracing::warn!(topic = self.topic, %error, partition = partition.0, "Cannot resume a partition that no longer waits.");
        }
    }
}
