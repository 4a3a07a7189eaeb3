//! The callbacks of librdkafka: its logs, its errors, and the outcome of each record.
//!
//! A broker accepts or refuses a batch as a whole. `max.message.bytes` limits the batch, and one record that a topic
//! does not accept fails the others with it. librdkafka reports the same failure for each record. So each record of a
//! refused batch is sent again alone ([`Alone`]), and that result counts.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

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

/// The state that all clients of a producer share with the requests.
pub(crate) struct Shared {
    /// Whether Kafka accepts events.
    pub(super) health: Health,
    /// What topics accept.
    pub(super) rules: Rules,
    /// The room for records that wait for Kafka.
    pub(super) budget: QueueBudget,
    /// Provides tokens.
    pub(super) login: Arc<Login>,
}

/// Handles librdkafka's callbacks: passes on its logs, reports important errors to the watch, and reports outcomes to
/// the waiting requests.
pub(crate) struct Callbacks {
    /// The state that all clients share.
    pub(super) shared: Arc<Shared>,
    /// Sends the records of refused batches again; `None` in the client that sends records alone.
    pub(super) alone: Option<Arc<Alone>>,
}

impl Callbacks {
    /// Creates the callbacks of one client.
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

    /// Handles errors that librdkafka cannot fix with its own retries. It logs the others, see [`Callbacks::log`].
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "rdkafka", %error, reason, "The producer reports an error.");
        let health = &self.shared.health;
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AllBrokersDown) => {
                health.note_all_brokers_down();
            }
            Some(RDKafkaErrorCode::Fatal | RDKafkaErrorCode::Authentication) => health.request_check(),
            _ => {}
        }
    }
}

impl ProducerContext for Callbacks {
    type DeliveryOpaque = Arc<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Arc<Delivery>) {
        match result {
            Ok(record) => {
                if self.alone.is_none() && self.shared.rules.note_accepted_alone() {
                    self.shared.health.request_check();
                }
                self.shared.health.note_accepted(record.topic(), record.partition());
                self.shared.budget.give_back(1, bytes_of(record), delivery.each);
                delivery.count(Ok(()));
            }
            Err((error, record)) => {
                if error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageTimedOut) {
                    self.shared.health.note_timed_out(record.topic(), record.partition(), Instant::now());
                }
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

/// Returns the bytes of a record's key and value.
fn bytes_of(record: &BorrowedMessage<'_>) -> usize {
    record.payload_len() + record.key_len()
}

/// Sends records alone. Its client is created with the first record.
pub(super) struct Alone {
    config: ClientConfig,
    shared: Arc<Shared>,
    client: Mutex<Option<ThreadedProducer<Callbacks>>>,
}

impl Alone {
    /// Creates a sender with the settings of the producer whose records were refused.
    pub(super) fn new(config: &ClientConfig, shared: &Arc<Shared>) -> Self {
        let mut config = config.clone();
        config.set("batch.num.messages", "1").set("linger.ms", "0");
        Self { config, shared: Arc::clone(shared), client: Mutex::default() }
    }

    /// Queues `refused` once more. `delivery` gets its outcome.
    ///
    /// # Errors
    /// When it cannot be queued. Then `delivery` gets no outcome from here.
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

    /// Waits until all records have their outcome, for at most `timeout`. Blocks the thread.
    ///
    /// # Errors
    /// When a record has no outcome by then.
    pub(super) fn flush(&self, timeout: Duration) -> Result<(), KafkaError> {
        match &*self.client.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(client) => client.flush(timeout),
            None => Ok(()),
        }
    }

    /// Gives up the client, after it has finished its records or `timeout` is over. Later records get a new one. Blocks
    /// the thread.
    ///
    /// # Errors
    /// When a record has no outcome by then.
    pub(super) fn renew(&self, timeout: Duration) -> Result<(), KafkaError> {
        let old = self.client.lock().unwrap_or_else(PoisonError::into_inner).take();
        old.map_or(Ok(()), |old| old.flush(timeout))
    }
}

fn copied(headers: &impl Headers) -> OwnedHeaders {
    headers.iter().fold(OwnedHeaders::new_with_capacity(headers.count()), OwnedHeaders::insert)
}
