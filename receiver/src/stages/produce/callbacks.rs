//! What librdkafka calls: with its logs and errors, and with what became of each record.
//!
//! A broker takes a batch as a whole or not at all: `max.message.bytes` is a limit of the batch, and one record that a
//! topic does not take fails the others with it. librdkafka reports the same failure for each. What the records deserve
//! shows when each of them comes alone ([`Alone`]); that verdict counts.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use kafka::{Login, without_value};
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext};

use super::delivery::Delivery;
use super::fault;
use super::health::Health;
use super::queue_budget::QueueBudget;
use super::rules::Rules;

/// What all clients of a producer share, and the requests with them.
pub(crate) struct Shared {
    /// Whether Kafka accepts events.
    pub(super) health: Health,
    /// What topics take.
    pub(super) rules: Rules,
    /// What may wait for Kafka.
    pub(super) budget: QueueBudget,
    /// Where tokens come from.
    pub(super) login: Arc<Login>,
}

/// librdkafka's callbacks: logs go to our logs, errors that matter to the watch, deliveries to who waits for them.
pub(crate) struct Callbacks {
    /// What all clients share.
    pub(super) shared: Arc<Shared>,
    /// Where records go that were refused as a batch; none where each comes alone.
    pub(super) alone: Option<Arc<Alone>>,
}

impl Callbacks {
    /// For one client.
    pub(super) fn new(shared: &Arc<Shared>, alone: Option<&Arc<Alone>>) -> Self {
        Self { shared: Arc::clone(shared), alone: alone.cloned() }
    }
}

impl ClientContext for Callbacks {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.shared.login.token()
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                tracing::error!(target: "rdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Warning => tracing::warn!(target: "rdkafka", facility, "{message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                tracing::info!(target: "rdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Debug => tracing::debug!(target: "rdkafka", facility, "{message}"),
        }
    }

    /// librdkafka retries by itself; only what its retries do not fix is of interest. It logs the rest, see
    /// [`Callbacks::log`].
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "rdkafka", %error, reason, "The producer reports an error.");
        let health = &self.shared.health;
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AllBrokersDown) => {
                health.note_all_brokers_down();
            }
            Some(RDKafkaErrorCode::Fatal | RDKafkaErrorCode::Authentication) => health.trouble(),
            _ => {}
        }
    }
}

impl ProducerContext for Callbacks {
    type DeliveryOpaque = Arc<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Arc<Delivery>) {
        match result {
            Ok(record) => {
                if self.alone.is_none() && self.shared.rules.note_taken_alone() {
                    self.shared.health.trouble();
                }
                self.shared.health.taken(record.topic());
                self.shared.budget.give_back(1, bytes_of(record), delivery.each);
                delivery.count(Ok(()));
            }
            Err((error, record)) => {
                if let (Some(alone), Some(code)) = (&self.alone, error.rdkafka_error_code())
                    && fault::may_be_of_another(code)
                {
                    self.shared.rules.note_refused(fault::of(code));
                    if alone.send(record, &delivery).is_ok() {
                        return;
                    }
                }
                self.shared.budget.give_back(1, bytes_of(record), delivery.each);
                delivery.count(Err(error));
            }
        }
    }
}

/// Returns the bytes that a record takes of the room.
fn bytes_of(record: &BorrowedMessage<'_>) -> usize {
    record.payload_len() + record.key_len()
}

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
