//! Partitions that wait for a schema, and what happens when the registry answers.

use std::collections::VecDeque;
use std::sync::Arc;

use shared::avro::Schema;
use shared::registry::RegistryError;
use shared::wire::SchemaId;

use super::intake::{WaitsForSchema, take};
use super::*;
use crate::decode::Missing;
use crate::record::OwnedRecord;

impl Consumer {
    pub(super) fn wait_for_schema(&mut self, waits: WaitsForSchema) {
        let partitions = self.partition_list(std::iter::once(waits.partition));
        if let Err(error) = self.consumer.pause(&partitions) {
            tracing::warn!(%error, partition = waits.partition.0, "A partition that waits for its schema could not be paused.");
        }
        if waits.ask {
            tracing::info!(
                topic = self.topic,
                partition = waits.partition.0,
                schema_id = waits.schema.0,
                "A record names a schema that is not in memory: its partition waits for the registry."
            );
            self.tasks.fetch_schema(waits.schema, self.schemas.clone());
        }
    }

    pub(super) fn take_schema(&mut self, id: SchemaId, answer: Result<Arc<Schema>, RegistryError>) {
        match answer {
            Ok(schema) => self.decoder.note_schema(id, schema),
            Err(error) => {
                let error_type = match error {
                    RegistryError::NotFound { .. } => "unknown-schema",
                    RegistryError::Unusable { .. } | RegistryError::Unavailable { .. } => "unusable-schema",
                };
                self.decoder.note_missing(id, Missing { error_type, reason: error.to_string() });
            }
        }
        for (partition, records) in self.parked.release(id) {
            self.take_parked(partition, records);
        }
        if self.parked.partitions().next().is_none() {
            self.schemas.met();
        }
    }

    fn take_parked(&mut self, partition: Partition, records: VecDeque<OwnedRecord>) {
        for record in &records {
            let waits = take(&mut self.decoder, &mut self.filling, &mut self.parked, &record.as_record());
            if let Some(waits) = waits {
                self.wait_for_schema(waits);
            }
        }
        if self.parked.holds(partition) || self.paused {
            return;
        }
        let partitions = self.partition_list(std::iter::once(partition));
        if let Err(error) = self.consumer.resume(&partitions) {
            tracing::warn!(%error, partition = partition.0, "A partition whose schema came could not be resumed.");
        }
    }
}
