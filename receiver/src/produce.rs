//! From an event to Kafka's acknowledgement: the last stage, `… → validate → produce`. With the files in `produce/` the only
//! place that knows the producer.
//!
//! A failed or late delivery is never told from a lost one: the sender is asked to try again, and the event's key makes the
//! second record the same document as the first. While Kafka is known to be away, events are refused at once instead of filling
//! the queue; [`watch`] finds out when it is back.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};
use shared::config::Kafka;
use shared::kafka::{Login, producer_config};
use shared::wire::{HEADER_ID_SCOPE, HEADER_REQUEST_ID, HEADER_SOURCE, HEADER_TRACEPARENT};
use tokio::time::{Instant, timeout_at};

use crate::validate::Event;
use delivery::Delivery;
use health::{Health, Logs};

mod delivery;
mod health;
pub(crate) mod watch;

/// The name that brokers see.
pub(crate) const CLIENT_ID: &str = "penstock-receiver";

/// librdkafka settings that `kafka.options` may override.
const DEFAULTS: [(&str, &str); 6] = [
    // How long a record waits for others to share its request: more is slower for the sender. Much less than what Kafka takes to
    // acknowledge costs CPU: with five records of a partition on their way, an idempotent producer of librdkafka 2.12 holds back
    // the others, and polls without a pause as soon as their linger is over.
    ("linger.ms", "3"),
    // What waits for Kafka at a time (P6). A full queue is answered 503.
    ("queue.buffering.max.kbytes", "65536"),
    (QUEUE_RECORDS, "100000"),
    // One key is in one partition whoever produced it: this is what Kafka's own clients do.
    ("partitioner", "murmur2_random"),
    // After an outage, events are refused until the connection is back: look often.
    ("reconnect.backoff.max.ms", "1000"),
    ("retry.backoff.max.ms", "500"),
];

/// How often librdkafka looks which records are over their time.
const TIMEOUT_SCAN: Duration = Duration::from_secs(1);

/// The records that wait for Kafka at a time, at most; see [`DEFAULTS`].
const QUEUE_RECORDS: &str = "queue.buffering.max.messages";

/// After how many records in a row a request lets others have the thread.
const STRIDE: usize = 1_000;

/// The least that a record's limit is above the longest body: frame, key, headers and the batch's own head.
const RECORD_OVERHEAD: usize = 64 * 1024;

/// Produces events. Rebuilds its client after a fatal error.
pub(crate) struct Producer {
    client: ArcSwap<ThreadedProducer<Logs>>,
    config: ClientConfig,
    health: Arc<Health>,
    /// How many records the queue takes.
    room: usize,
    login: Arc<Login>,
}

/// What a record has besides its event.
pub(crate) struct RecordHead<'a> {
    /// When the request came in.
    pub(crate) timestamp: SystemTime,
    /// The source's name.
    pub(crate) source: &'a str,
    /// What qualifies the ids of its events, where they are not unique in the topic.
    pub(crate) id_scope: Option<&'a str>,
    /// The request's id.
    pub(crate) request_id: &'a [u8],
    /// The request's trace context.
    pub(crate) traceparent: Option<&'a [u8]>,
}

/// Why an event is not known to be in Kafka.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProduceError {
    /// The queue is full: nothing was sent.
    QueueFull,
    /// Kafka does not take a record of this size.
    TooLarge,
    /// Kafka is away, refuses, or has not acknowledged in time; the event may be there nevertheless.
    Unavailable,
}

impl ProduceError {
    fn of(error: &KafkaError) -> Self {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::QueueFull) => Self::QueueFull,
            Some(RDKafkaErrorCode::MessageSizeTooLarge) => Self::TooLarge,
            _ => Self::Unavailable,
        }
    }
}

/// A record for librdkafka.
type Record<'a> = BaseRecord<'a, str, [u8], Arc<Delivery>>;

impl Producer {
    /// A producer for the cluster of the config, whose events are of at most `max_event` bytes and are answered within
    /// `request_timeout`. Connects in the background.
    ///
    /// # Errors
    /// When librdkafka refuses `kafka.options`, or a file of `kafka.security` cannot be read.
    pub(crate) fn new(kafka: &Kafka, max_event: usize, request_timeout: Duration) -> Result<Self, KafkaError> {
        // Less than the request has, so that the outcome is known when the request must be answered.
        let delivery_timeout = request_timeout.mul_f32(0.9).saturating_sub(TIMEOUT_SCAN).max(request_timeout / 2);
        let mut config = producer_config(kafka, CLIENT_ID, delivery_timeout)?;
        for (key, value) in DEFAULTS {
            if !kafka.options.contains_key(key) {
                config.set(key, value);
            }
        }
        if !kafka.options.contains_key("message.max.bytes") {
            // librdkafka takes 1000 to 1,000,000,000.
            let largest = max_event.saturating_add(RECORD_OVERHEAD).clamp(1_000_000, 1_000_000_000);
            config.set("message.max.bytes", largest.to_string());
        }
        config.set_log_level(RDKafkaLogLevel::Info);
        let health = Arc::new(Health::default());
        let login = Arc::new(Login::new(kafka)?);
        let client = create(&config, &health, &login)?;
        let room = config.get(QUEUE_RECORDS).and_then(|room| room.parse().ok()).unwrap_or(usize::MAX);
        Ok(Self { client: ArcSwap::from_pointee(client), config, health, room, login })
    }

    /// Sends `events` to `topic` and waits until each of them is acknowledged, until `deadline` at most.
    ///
    /// # Errors
    /// [`ProduceError`]: some of the events may be in Kafka nevertheless. Dropping the future sends what was queued already.
    pub(crate) async fn produce<'e>(
        &self,
        topic: &str,
        events: impl ExactSizeIterator<Item = Event<'e>>,
        head: &RecordHead<'_>,
        deadline: Instant,
    ) -> Result<(), ProduceError> {
        if self.health.is_away() {
            return Err(ProduceError::Unavailable);
        }
        // Rather none of them than some.
        let waiting = usize::try_from(self.queue_len()).unwrap_or(0);
        if waiting.saturating_add(events.len()) > self.room {
            return Err(ProduceError::QueueFull);
        }
        let count = events.len();
        let delivery = Delivery::of(count);
        let mut headers = Some(headers(head));
        for (number, event) in (1..).zip(events) {
            let mut record = BaseRecord::with_opaque_to(topic, Arc::clone(&delivery)).payload(event.value());
            record.key = event.key();
            record.timestamp = milliseconds(head.timestamp);
            // Each record has headers of its own, which are several allocations; the last, which mostly is the only one, takes the original.
            record.headers = if number == count { headers.take() } else { headers.clone() };
            self.enqueue(record)?;
            if number % STRIDE == 0 {
                tokio::task::yield_now().await;
            }
        }
        self.finished(topic, &delivery, deadline).await
    }

    /// Sends one record that is no event, and gives what to wait for.
    ///
    /// # Errors
    /// [`ProduceError`]: it was not queued.
    pub(crate) fn send_aside(
        &self,
        topic: &str,
        value: &[u8],
        headers: OwnedHeaders,
        timestamp: SystemTime,
    ) -> Result<Arc<Delivery>, ProduceError> {
        if self.health.is_away() {
            return Err(ProduceError::Unavailable);
        }
        let delivery = Delivery::of(1);
        let mut record: Record<'_> = BaseRecord::with_opaque_to(topic, Arc::clone(&delivery)).payload(value);
        record.timestamp = milliseconds(timestamp);
        record.headers = Some(headers);
        match self.client.load().send(record) {
            Ok(()) => Ok(delivery),
            Err((error, _)) => Err(ProduceError::of(&error)),
        }
    }

    /// Puts a record into the queue.
    fn enqueue(&self, record: Record<'_>) -> Result<(), ProduceError> {
        let topic = record.topic;
        self.client.load().send(record).map_err(|(error, _record)| self.failed(topic, &error))
    }

    async fn finished(&self, topic: &str, delivery: &Delivery, deadline: Instant) -> Result<(), ProduceError> {
        let error = match timeout_at(deadline, delivery.finished()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            // The acknowledgement is late.
            Err(_) => KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut),
        };
        Err(self.failed(topic, &error))
    }

    fn failed(&self, topic: &str, error: &KafkaError) -> ProduceError {
        let failure = ProduceError::of(error);
        if failure == ProduceError::Unavailable {
            tracing::debug!(topic, %error, "Kafka did not acknowledge an event.");
            self.health.trouble();
        }
        failure
    }

    /// Records in the queue or on their way.
    pub(crate) fn queue_len(&self) -> i32 {
        self.client.load().in_flight_count()
    }

    /// Waits until everything in the queue is acknowledged or has failed, at most for `timeout`. Blocks the thread.
    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), KafkaError> {
        self.client.load().flush(timeout)
    }

    /// Replaces the client by a new one. Blocks the thread for up to a second, while the old client fails what it still has.
    fn rebuild(&self) -> Result<(), KafkaError> {
        let new = create(&self.config, &self.health, &self.login)?;
        drop(self.client.swap(Arc::new(new)));
        Ok(())
    }
}

fn create(
    config: &ClientConfig,
    health: &Arc<Health>,
    login: &Arc<Login>,
) -> Result<ThreadedProducer<Logs>, KafkaError> {
    config.create_with_context(Logs { health: Arc::clone(health), login: Arc::clone(login) })
}

fn headers(head: &RecordHead<'_>) -> OwnedHeaders {
    let mut headers = OwnedHeaders::new_with_capacity(4)
        .insert(Header { key: HEADER_SOURCE, value: Some(head.source) })
        .insert(Header { key: HEADER_REQUEST_ID, value: Some(head.request_id) });
    if let Some(scope) = head.id_scope {
        headers = headers.insert(Header { key: HEADER_ID_SCOPE, value: Some(scope) });
    }
    match head.traceparent {
        Some(traceparent) => headers.insert(Header { key: HEADER_TRACEPARENT, value: Some(traceparent) }),
        None => headers,
    }
}

/// Kafka's timestamps: milliseconds since the Unix epoch.
fn milliseconds(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

#[cfg(test)]
mod tests;
