//! From an event to Kafka's acknowledgement: the last stage, `… → validate → produce`. With the files in `produce/` the
//! only place that knows the producer.
//!
//! A failed, a late and a lost delivery are treated alike: the sender is asked to try again, and the event's key makes
//! the second record the same document as the first. While Kafka is known to be down, or to be without the topic,
//! events are refused at once instead of filling the queue; [`watch`] finds out when it is back. What can be known of a
//! request's events beforehand (that they find room, and that the topic takes such records) is known before the first
//! of them is queued.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use config::Kafka;
use kafka::{Login, producer_config, without_value};
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};
use tokio::time::{Instant, timeout_at};

use crate::message::RecordHead;
use crate::message::record::milliseconds;
use crate::stages::validate::Event;
pub(crate) use delivery::Delivery;
pub(crate) use fault::{OPERATOR, ProduceError};

use callbacks::{Alone, Callbacks, Shared};
use health::Health;
use queue_budget::{QueueBudget, Unqueued};
use rules::Rules;

mod callbacks;
mod delivery;
mod fault;
mod health;
mod queue_budget;
mod rules;
pub(crate) mod watch;

/// The name that brokers see.
pub(crate) const CLIENT_ID: &str = "penstock-receiver";

/// librdkafka settings that `kafka.options` may override.
const DEFAULTS: [(&str, &str); 6] = [
    // How long a record waits for others to share its request: more is slower for the sender. Much less than what Kafka
    // takes to acknowledge costs CPU: with five records of a partition on their way, an idempotent producer of
    // librdkafka 2.12 holds back the others, and polls without a pause as soon as their linger is over.
    ("linger.ms", "3"),
    // What waits for Kafka at a time (P6). A full queue is answered 503.
    (queue_budget::KIB, "65536"),
    (queue_budget::RECORDS, "100000"),
    // One key is in one partition whoever produced it: this is what Kafka's own clients do.
    ("partitioner", "murmur2_random"),
    // After an outage, events are refused until the connection is back: look often.
    ("reconnect.backoff.max.ms", "1000"),
    ("retry.backoff.max.ms", "500"),
];

/// How often librdkafka looks which records are over their time.
const TIMEOUT_SCAN: Duration = Duration::from_secs(1);

/// The bytes of a batch, at most: librdkafka's own default, as far as no topic takes less.
const BATCH_BYTES: usize = 1_000_000;
const BATCH_SIZE: &str = "batch.size";
/// The smallest batch that is tried by halves where Kafka does not say what a topic takes.
const SMALLEST_BATCH: usize = 1_000;

/// After how many records in a row a request lets others have the thread.
const STRIDE: usize = 1_000;

/// The least that a record's limit is above the longest body: frame, key, headers and the batch's own head.
const RECORD_OVERHEAD: usize = 64 * 1024;

/// Produces events. Rebuilds its client after a fatal error, and for smaller batches.
pub(crate) struct Producer {
    client: ArcSwap<ThreadedProducer<Callbacks>>,
    config: ClientConfig,
    shared: Arc<Shared>,
    alone: Arc<Alone>,
    /// The bytes of a batch, as the client has it and at most.
    batch_bytes: AtomicUsize,
    most_batch_bytes: usize,
    /// The bytes of one record's key and value, at most.
    largest: usize,
    /// Whether batches are compressed: what is sent may be smaller than what is known of it.
    compressed: bool,
    delivery_timeout: Duration,
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
        let most_batch_bytes = config.get(BATCH_SIZE).and_then(|size| size.trim().parse().ok()).unwrap_or(BATCH_BYTES);
        let compressed = ["compression.type", "compression.codec"]
            .iter()
            .any(|key| config.get(key).is_some_and(|codec| codec.trim() != "none"));
        let largest =
            config.get("message.max.bytes").and_then(|bytes| bytes.trim().parse().ok()).unwrap_or(BATCH_BYTES);
        let budget = QueueBudget::of(&mut config);
        let login = Arc::new(Login::new(kafka)?);
        let shared = Arc::new(Shared { health: Health::default(), rules: Rules::default(), budget, login });
        let alone = Arc::new(Alone::new(&config, &shared));
        let client = config.create_with_context(Callbacks::new(&shared, Some(&alone))).map_err(without_value)?;
        let client = ArcSwap::from_pointee(client);
        let batch_bytes = AtomicUsize::new(most_batch_bytes);
        Ok(Self { client, config, shared, alone, batch_bytes, most_batch_bytes, largest, compressed, delivery_timeout })
    }

    /// Queues `events` for `topic`, which copies them, and returns what to wait for: see [`Producer::finished`].
    ///
    /// # Errors
    /// [`ProduceError`]: some of the events may be in Kafka nevertheless. Dropping the future sends what was queued
    /// already.
    pub(crate) async fn queue<'e>(
        &self,
        topic: &str,
        events: impl ExactSizeIterator<Item = Event<'e>> + Clone,
        head: &RecordHead<'_>,
    ) -> Result<Arc<Delivery>, ProduceError> {
        self.ensure_there(topic)?;
        let count = events.len();
        let bytes = self.ensure_taken(topic, events.clone(), head)?;
        let mut unqueued = Unqueued::take(&self.shared.budget, count, bytes)?;
        let client = self.client.load_full();
        let delivery = Delivery::of(count);
        let mut headers = Some(head.headers());
        for (number, event) in (1..).zip(events) {
            let mut record = BaseRecord::with_opaque_to(topic, Arc::clone(&delivery)).payload(event.value());
            record.key = event.key();
            record.timestamp = milliseconds(head.timestamp);
            // Each record has headers of its own, which are several allocations; the last, which mostly is the only
            // one, takes the original.
            record.headers = if number == count { headers.take() } else { headers.clone() };
            if let Err((error, _record)) = client.send(record) {
                return Err(self.failed(topic, &error));
            }
            unqueued.queued(event.len());
            if number % STRIDE == 0 {
                tokio::task::yield_now().await;
            }
        }
        drop(client);
        Ok(delivery)
    }

    /// Sees that Kafka is there, and has the topic.
    fn ensure_there(&self, topic: &str) -> Result<(), ProduceError> {
        if self.shared.health.is_away() {
            return Err(ProduceError::Unavailable);
        }
        self.shared.health.without(topic).map_or(Ok(()), Err)
    }

    /// Sees that `topic` takes such records, as far as it is known; returns the bytes of all of them.
    fn ensure_taken<'e>(
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

    /// Sends one record that is no event, and returns what to wait for.
    ///
    /// # Errors
    /// [`ProduceError`]: it was not queued.
    pub(crate) fn send_quarantined(
        &self,
        topic: &str,
        value: &[u8],
        headers: OwnedHeaders,
        timestamp: SystemTime,
    ) -> Result<Arc<Delivery>, ProduceError> {
        self.ensure_there(topic)?;
        let mut unqueued = Unqueued::take(&self.shared.budget, 1, value.len())?;
        let delivery = Delivery::of(1);
        let mut record: Record<'_> = BaseRecord::with_opaque_to(topic, Arc::clone(&delivery)).payload(value);
        record.timestamp = milliseconds(timestamp);
        record.headers = Some(headers);
        match self.client.load().send(record) {
            Ok(()) => {
                unqueued.queued(value.len());
                Ok(delivery)
            }
            Err((error, _)) => Err(ProduceError::of(&error)),
        }
    }

    /// Waits until each record of `delivery`, of `topic`, is acknowledged, until `deadline` at most.
    ///
    /// # Errors
    /// [`ProduceError`]: some of them may be in Kafka nevertheless.
    pub(crate) async fn finished(
        &self,
        topic: &str,
        delivery: &Delivery,
        deadline: Instant,
    ) -> Result<(), ProduceError> {
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
        match failure {
            ProduceError::Unavailable => {
                tracing::debug!(topic, %error, "Kafka did not acknowledge an event.");
                self.shared.health.trouble();
            }
            ProduceError::Blocked(code) => self.shared.health.refused(topic, code),
            _ => {}
        }
        failure
    }

    /// Records in the queue or on their way.
    pub(crate) fn queue_len(&self) -> usize {
        self.shared.budget.records()
    }

    /// Waits until everything in the queue is acknowledged or has failed, at most for `timeout`. Blocks the thread.
    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), KafkaError> {
        self.client.load().flush(timeout)?;
        self.alone.flush(timeout)
    }

    /// Replaces the client by a new one. Blocks the thread for up to a second, while the old client fails what it still
    /// has.
    fn rebuild(&self) -> Result<(), KafkaError> {
        drop(self.client.swap(Arc::new(self.create()?)));
        Ok(())
    }

    fn create(&self) -> Result<ThreadedProducer<Callbacks>, KafkaError> {
        let mut config = self.config.clone();
        config.set(BATCH_SIZE, self.batch_bytes.load(Ordering::Relaxed).to_string());
        config.create_with_context(Callbacks::new(&self.shared, Some(&self.alone))).map_err(without_value)
    }

    /// Makes batches as small as the smallest topic wants them, as far as that is known; where a topic refused a batch
    /// and does not say why, by half. A new client takes what comes from now on, the old one ends what it has. Blocks
    /// the thread until that is done.
    fn fit_batches(&self, said: bool) -> Result<(), KafkaError> {
        let now = self.batch_bytes.load(Ordering::Relaxed);
        let refused = self.shared.rules.take_refused_batch();
        let smallest = self.shared.rules.smallest().unwrap_or(usize::MAX).min(self.most_batch_bytes);
        let wanted = match (said, refused) {
            (true, _) => smallest,
            (false, true) => smallest.min(now / 2).max(SMALLEST_BATCH),
            (false, false) => smallest.min(now),
        };
        if wanted == now {
            return Ok(());
        }
        self.batch_bytes.store(wanted, Ordering::Relaxed);
        let old = self.client.swap(Arc::new(self.create()?));
        tracing::info!(bytes = wanted, "Limited the size of batches to the topic's max.message.bytes.");
        // What has no answer by then fails, as it would have anyway.
        old.flush(self.delivery_timeout)
    }
}

#[cfg(test)]
mod tests;
