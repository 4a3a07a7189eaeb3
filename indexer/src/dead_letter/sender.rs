//! The producer of dead letters. It is replaced after a permanent failure.

use std::sync::Arc;

use arc_swap::ArcSwap;
use config::Kafka;
use kafka::{Login, without_value};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::util::Timeout;

use super::DELIVERY_TIMEOUT;

/// librdkafka's own limit for a message, in bytes.
const MAX_LETTER_BYTES: &str = "1000000000";

/// Sends single records.
pub(super) struct Sender {
    client: ArcSwap<FutureProducer<Login>>,
    kafka: Kafka,
}

impl Sender {
    /// Creates a producer for the cluster of `kafka`. It connects in the background.
    ///
    /// # Errors
    /// If librdkafka refuses `kafka.options`.
    pub(super) fn new(kafka: &Kafka) -> Result<Self, KafkaError> {
        Ok(Self { client: ArcSwap::from_pointee(create(kafka)?), kafka: kafka.clone() })
    }

    /// Sends `record` and waits for its acknowledgement.
    ///
    /// # Errors
    /// If no acknowledgement arrives in time, or Kafka refuses. After an error that is fatal to librdkafka's
    /// producer, the next call uses a new one.
    pub(super) async fn send(&self, record: FutureRecord<'_, [u8], [u8]>) -> Result<(), KafkaError> {
        let client = self.client.load_full();
        let sent = client.send(record, Timeout::After(DELIVERY_TIMEOUT)).await;
        let Err((error, _)) = sent else { return Ok(()) };
        if let Some((code, reason)) = client.client().fatal_error() {
            self.replace(&client, code, &reason);
            // Dropping it blocks while its queued messages fail.
            drop(tokio::task::spawn_blocking(move || drop(client)));
        }
        Err(error)
    }

    /// Replaces `failed`, unless another task already has.
    fn replace(&self, failed: &Arc<FutureProducer<Login>>, code: RDKafkaErrorCode, reason: &str) {
        let new = match create(&self.kafka) {
            Ok(new) => Arc::new(new),
            Err(error) => {
                tracing::error!(%error, "The producer of dead letters has failed permanently, and no new one can be created yet.");
                return;
            }
        };
        let previous = self.client.compare_and_swap(failed, new);
        if Arc::ptr_eq(&previous, failed) {
            tracing::error!(%code, reason, "The producer of dead letters has failed permanently and is replaced.");
        }
    }
}

fn create(kafka: &Kafka) -> Result<FutureProducer<Login>, KafkaError> {
    kafka::producer_config(kafka, "penstock-indexer-dead-letters", DELIVERY_TIMEOUT)?
        // The record fitted into its topic, so it fits here; the dead-letter topic's own limit decides.
        .set("message.max.bytes", MAX_LETTER_BYTES)
        // Kafka refuses a batch that is too large as a whole. One large letter would cost the others in its batch
        // their values.
        .set("batch.num.messages", "1")
        .create_with_context(Login::new(kafka)?)
        .map_err(without_value)
}

/// Returns whether `error` means that a record is larger than the topic accepts.
pub(super) fn is_too_large(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    matches!(code, Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::MessageBatchTooLarge))
}

#[cfg(test)]
mod tests;
