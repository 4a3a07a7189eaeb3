//! Sends records once more, each in a batch of its own, that Kafka refused as a batch.
//!
//! A broker takes a batch as a whole or not at all: `max.message.bytes` is a limit of the batch, and one record that a
//! topic does not take fails the others with it. librdkafka reports the same failure for each. What the records deserve
//! shows when each of them comes alone; that verdict counts.

use std::sync::{Arc, Mutex, PoisonError};

use kafka::without_value;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};

use super::delivery::Delivery;
use super::health::{Callbacks, Shared};

/// Sends records alone. Its client is made when the first one comes.
pub(super) struct Alone {
    config: ClientConfig,
    shared: Arc<Shared>,
    client: Mutex<Option<ThreadedProducer<Callbacks>>>,
}

impl Alone {
    /// With the settings of the producer that refused records come from.
    pub(super) fn new(config: &ClientConfig, shared: &Arc<Shared>) -> Self {
        let mut config = config.clone();
        config.set("batch.num.messages", "1").set("linger.ms", "0");
        Self { config, shared: Arc::clone(shared), client: Mutex::default() }
    }

    /// Queues `refused` once more. `delivery` hears what becomes of it.
    ///
    /// # Errors
    /// When it cannot be queued: `delivery` hears nothing.
    pub(super) fn send(&self, refused: &BorrowedMessage<'_>, delivery: &Arc<Delivery>) -> Result<(), KafkaError> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if client.as_ref().is_some_and(|client| client.client().fatal_error().is_some()) {
            *client = None;
        }
        let client = match &mut *client {
            Some(client) => client,
            none => {
                let created = self.config.create_with_context(Callbacks::new(&self.shared, None));
                none.insert(created.map_err(without_value)?)
            }
        };
        let mut record: BaseRecord<'_, [u8], [u8], Arc<Delivery>> =
            BaseRecord::with_opaque_to(refused.topic(), Arc::clone(delivery));
        record.key = refused.key();
        record.payload = refused.payload();
        record.timestamp = refused.timestamp().to_millis();
        record.headers = refused.headers().map(copied);
        client.send(record).map_err(|(error, _record)| error)
    }

    /// Waits until all that was sent has its verdict, at most for `timeout`. Blocks the thread.
    ///
    /// # Errors
    /// When something has none by then.
    pub(super) fn flush(&self, timeout: std::time::Duration) -> Result<(), KafkaError> {
        match &*self.client.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(client) => client.flush(timeout),
            None => Ok(()),
        }
    }
}

fn copied(headers: &impl Headers) -> OwnedHeaders {
    headers.iter().fold(OwnedHeaders::new_with_capacity(headers.count()), OwnedHeaders::insert)
}
