//! Partitions that wait for a schema or for a newer table of backing indices, and what happens when it comes.

use std::collections::VecDeque;
use std::sync::Arc;

use shared::avro::Schema;
use shared::registry::RegistryError;
use shared::wire::SchemaId;

use super::books::Waits;
use super::park::Need;
use super::*;
use crate::decode::Missing;
use crate::record::OwnedRecord;

impl Consumer {
    pub(super) fn wait_for(&mut self, waits: Waits) {
        let partitions = self.partition_list(std::iter::once(waits.partition));
        if let Err(error) = self.consumer.pause(&partitions) {
            tracing::warn!(%error, partition = waits.partition.0, "A partition that waits could not be paused.");
        }
        self.metrics.place.parked.with_label_values(&[self.topic.as_str(), waits.need.as_str()]).inc();
        match waits.need {
            Need::Schema(schema) if waits.ask => {
                tracing::info!(
                    topic = self.topic,
                    partition = waits.partition.0,
                    schema_id = schema.0,
                    "A record names a schema that is not in memory: its partition waits for the registry."
                );
                self.tasks.fetch_schema(schema, self.schemas.clone());
            }
            Need::Table if waits.ask => self.tasks.renew_table(waits.time),
            Need::Schema(_) | Need::Table => {}
        }
    }

    /// Takes up that the table of backing indices was read at `read_at`.
    pub(super) fn take_table(&mut self, read_at: i64) {
        self.decoder.note_table(read_at);
        self.release(Need::Table);
    }

    pub(super) fn take_schema(&mut self, id: SchemaId, answer: Result<Arc<Schema>, RegistryError>) {
        match answer {
            Ok(schema) => self.decoder.note_schema(id, schema),
            Err(error) => {
                let error_type = match error {
                    RegistryError::NotFound { .. } | RegistryError::NotYet { .. } => "unknown-schema",
                    RegistryError::Unusable { .. }
                    | RegistryError::Unavailable { .. }
                    | RegistryError::Ambiguous { .. } => "unusable-schema",
                };
                self.decoder.note_missing(id, Missing { error_type, reason: error.to_string() });
            }
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
        if self.books.parked.holds(partition) || self.paused {
            return;
        }
        let partitions = self.partition_list(std::iter::once(partition));
        if let Err(error) = self.consumer.resume(&partitions) {
            tracing::warn!(%error, partition = partition.0, "A partition that waits no longer could not be resumed.");
        }
    }
}
