//! Takes an event to Kafka and waits for the acknowledgement: the last stage, `… → validate → produce`. Only this
//! module and the files in `produce/` know the producer.
//!
//! Failed, late and lost deliveries are treated alike: the sender is asked to try again, and the event's key makes the
//! second record the same document as the first. While Kafka is known to be down or to lack the topic, events are
//! refused immediately instead of filling the queue; [`watch`] finds out when Kafka is back. All checks that are
//! possible beforehand (the events find room, and the topic accepts such records) are made before the first event of a
//! request is queued.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use config::Kafka;
use kafka::Login;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Headers, OwnedHeaders};
use rdkafka::producer::BaseRecord;
use tokio::time::{Instant, timeout_at};

use crate::message::RecordHead;
use crate::message::record::milliseconds;
use crate::stages::validate::Event;
pub(crate) use delivery::Delivery;
pub(crate) use fault::{OPERATOR, ProduceError};

use callbacks::Shared;
use client::Client;
use health::Health;
use queue_budget::{QueueBudget, Unqueued};
use rules::Rules;

mod callbacks;
mod client;
mod delivery;
mod fault;
mod health;
mod queue_budget;
mod rules;
mod settings;
mod topics;
pub(crate) mod watch;

/// The name that brokers see.
pub(crate) const CLIENT_ID: &str = "penstock-receiver";

/// How often librdkafka looks for expired records.
const TIMEOUT_SCAN: Duration = Duration::from_secs(1);

/// The number of records after which a request yields its thread.
const YIELD_EVERY: usize = 1_000;

/// Produces events.
pub(crate) struct Producer {
    client: Client,
    shared: Arc<Shared>,
    /// The most bytes of one record's key and value.
    largest: usize,
    /// Whether batches are compressed, which makes them smaller than estimated here.
    compressed: bool,
}

/// A record for librdkafka.
type Record<'a> = BaseRecord<'a, str, [u8], Arc<Delivery>>;

impl Producer {
    /// Creates a producer for the cluster of the config. Events have at most `max_event` bytes, and requests are
    /// answered within `request_timeout`. Connects in the background.
    ///
    /// # Errors
    /// When librdkafka refuses `kafka.options`, or a file of `kafka.security` cannot be read.
    pub(crate) fn new(kafka: &Kafka, max_event: usize, request_timeout: Duration) -> Result<Self, KafkaError> {
        // It is shorter than the request's time, so that the outcome is known when the request must be answered.
        let delivery_timeout = request_timeout.mul_f32(0.9).saturating_sub(TIMEOUT_SCAN).max(request_timeout / 2);
        let mut config = settings::of(kafka, max_event, delivery_timeout)?;
        let (largest, compressed) = (settings::largest_record(&config), settings::is_compressed(&config));
        let budget = QueueBudget::of(&mut config);
        let login = Arc::new(Login::new(kafka)?);
        let shared = Arc::new(Shared { health: Health::default(), rules: Rules::default(), budget, login });
        let client = Client::new(config, Arc::clone(&shared), delivery_timeout)?;
        Ok(Self { client, shared, largest, compressed })
    }

    /// Queues copies of `events` for `topic`. [`Producer::finished`] waits for the returned delivery.
    ///
    /// # Errors
    /// [`ProduceError`]. Even then, some of the events may be in Kafka. Dropping the future still sends what is already
    /// queued.
    pub(crate) async fn queue<'e>(
        &self,
        topic: &str,
        events: impl ExactSizeIterator<Item = Event<'e>> + Clone,
        head: &RecordHead<'_>,
    ) -> Result<Arc<Delivery>, ProduceError> {
        self.ensure_writable(topic)?;
        let count = events.len();
        let mut accepted = self.ensure_accepted(topic, events.clone(), head);
        if accepted.is_err() && self.shared.rules.refresh(topic).await {
            accepted = self.ensure_accepted(topic, events.clone(), head);
        }
        let bytes = accepted?;
        let each = queue_budget::overhead(head.fields().map(|(name, value)| name.len() + value.len()));
        let mut unqueued = Unqueued::take(&self.shared.budget, count, bytes, each)?;
        let client = self.client.load_full();
        let delivery = Delivery::of(count, each);
        let mut headers = Some(head.headers());
        for (number, event) in (1..).zip(events) {
            let mut record = BaseRecord::with_opaque_to(topic, Arc::clone(&delivery)).payload(event.value());
            record.key = event.key();
            record.timestamp = milliseconds(head.timestamp);
            // Each record has headers of its own, which need several allocations. The last record, which is mostly the
            // only one, takes the original.
            record.headers = if number == count { headers.take() } else { headers.clone() };
            if let Err((error, _record)) = client.send(record) {
                return Err(self.failed(topic, &error));
            }
            unqueued.queued(event.len());
            if number % YIELD_EVERY == 0 {
                tokio::task::yield_now().await;
            }
        }
        drop(client);
        Ok(delivery)
    }

    /// Checks that Kafka is reachable and has the topic.
    fn ensure_writable(&self, topic: &str) -> Result<(), ProduceError> {
        if self.shared.health.is_unreachable() {
            return Err(ProduceError::Unavailable);
        }
        self.shared.health.topic_error(topic).map_or(Ok(()), Err)
    }

    /// Checks that `topic` accepts these records, as far as its rules are known. Returns the bytes of all records.
    fn ensure_accepted<'e>(
        &self,
        topic: &str,
        events: impl Iterator<Item = Event<'e>>,
        head: &RecordHead<'_>,
    ) -> Result<usize, ProduceError> {
        let rule = self.shared.rules.of(topic);
        let limit = rule.filter(|_| !self.compressed).map_or(usize::MAX, |rule| rule.max_bytes);
        let headers = rules::headers_len(head.fields().map(|(name, value)| (name.len(), value.len())));
        let mut bytes = 0;
        for event in events {
            let key = event.key();
            if key.is_none() && rule.is_some_and(|rule| rule.compacted) {
                return Err(ProduceError::Refused);
            }
            if rules::batch_len(key.map(str::len), event.value().len(), headers) > limit || event.len() > self.largest {
                return Err(ProduceError::TooLarge);
            }
            bytes += event.len();
        }
        Ok(bytes)
    }

    /// Queues a record that is not an event, and returns its delivery.
    ///
    /// # Errors
    /// [`ProduceError`]. Then the record is not queued.
    pub(crate) fn send_quarantined(
        &self,
        topic: &str,
        value: &[u8],
        headers: OwnedHeaders,
        timestamp: SystemTime,
    ) -> Result<Arc<Delivery>, ProduceError> {
        self.ensure_writable(topic)?;
        let each =
            queue_budget::overhead(headers.iter().map(|header| header.key.len() + header.value.map_or(0, <[u8]>::len)));
        let mut unqueued = Unqueued::take(&self.shared.budget, 1, value.len(), each)?;
        let delivery = Delivery::of(1, each);
        let mut record: Record<'_> = BaseRecord::with_opaque_to(topic, Arc::clone(&delivery)).payload(value);
        record.timestamp = milliseconds(timestamp);
        record.headers = Some(headers);
        match self.client.load_full().send(record) {
            Ok(()) => {
                unqueued.queued(value.len());
                Ok(delivery)
            }
            Err((error, _)) => Err(ProduceError::of(&error)),
        }
    }

    /// Waits until all records of `delivery` to `topic` are acknowledged, at most until `deadline`.
    ///
    /// # Errors
    /// [`ProduceError`]. Even then, some of the records may be in Kafka.
    pub(crate) async fn finished(
        &self,
        topic: &str,
        delivery: &Delivery,
        deadline: Instant,
    ) -> Result<(), ProduceError> {
        let error = match timeout_at(deadline, delivery.finished()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            // The acknowledgement did not arrive in time.
            Err(_) => KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut),
        };
        Err(self.failed(topic, &error))
    }

    fn failed(&self, topic: &str, error: &KafkaError) -> ProduceError {
        let failure = ProduceError::of(error);
        match failure {
            ProduceError::Unavailable => {
                tracing::debug!(topic, %error, "Kafka did not acknowledge an event.");
                self.shared.health.request_check();
            }
            ProduceError::Blocked(code) => self.shared.health.note_refused(topic, code),
            _ => {}
        }
        failure
    }

    /// Returns the number of records in the queue or on their way.
    pub(crate) fn queue_len(&self) -> usize {
        self.shared.budget.records()
    }

    /// Waits until everything in the queue is acknowledged or has failed, for at most `timeout`. Blocks the thread.
    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), KafkaError> {
        self.client.flush(timeout)
    }
}

#[cfg(test)]
mod tests;
