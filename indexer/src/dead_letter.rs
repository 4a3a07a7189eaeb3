//! Records that can never be indexed, on their way to the dead-letter topic.
//!
//! Key and value are as they were; the headers say what happened, and where the record came from. A batch settles only when each
//! of its dead letters is acknowledged (P3), so writing goes on until it is. When nearly everything would be a dead letter, the
//! [`Fuse`] blows: nothing more is written, and so nothing is committed, until the indexer is restarted.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::RngExt;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::util::Timeout;
use shared::admin::Condition;
use shared::config::Config;
use shared::kafka::Login;

use crate::batch::{Batch, Origin};
use crate::bulk::Refused;
use crate::fuse::{Blown, Fuse};
use crate::metrics::Metrics;

/// The longest reason that is kept, in bytes.
const MAX_REASON: usize = 1_024;
/// librdkafka's own bound on a message.
const MAX_LETTER_BYTES: &str = "1000000000";
/// How long one attempt may take.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(20);
/// The longest wait between attempts.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Writes dead letters.
pub struct DeadLetters {
    producer: FutureProducer<Login>,
    dead_letter_topic: String,
    topic: String,
    fuse: Mutex<Fuse>,
    condition: Condition,
    metrics: Metrics,
}

/// One record and what happened to it.
struct DeadLetter<'a> {
    origin: &'a Origin,
    stage: &'static str,
    error_type: &'a str,
    reason: &'a str,
    http_status: Option<u16>,
    schema: Option<u32>,
    attempts: u32,
}

impl DeadLetters {
    /// A producer for `kafka.dead_letter_topic`. `condition` is unmet once the fuse has blown.
    ///
    /// # Errors
    /// When librdkafka refuses `kafka.options`.
    pub fn new(config: &Config, condition: Condition, metrics: Metrics) -> Result<Self, KafkaError> {
        condition.met();
        let producer =
            shared::kafka::producer_config(&config.kafka, "penstock-indexer-dead-letters", DELIVERY_TIMEOUT)?
                // What was small enough for the topic is small enough here; the dead-letter topic's own limit decides.
                .set("message.max.bytes", MAX_LETTER_BYTES)
                // Kafka refuses a batch that is too large as a whole, so that a large letter would cost its neighbours their values.
                .set("batch.num.messages", "1")
                .create_with_context(Login::new(&config.kafka)?)?;
        Ok(Self {
            producer,
            dead_letter_topic: config.kafka.dead_letter_topic.clone(),
            topic: config.kafka.topic.clone(),
            fuse: Mutex::new(Fuse::new(config.indexer.fuse)),
            condition,
            metrics,
        })
    }

    /// Writes what could not be decoded and what was refused of `batch`, and comes back when all of it is acknowledged; never, when
    /// the fuse has blown.
    pub async fn write(&self, batch: &Batch, refused: &[Refused]) {
        let records = batch.items.len() + batch.undecodable.len();
        let dead = batch.undecodable.len() + refused.len();
        let blown = self.fuse.lock().unwrap_or_else(PoisonError::into_inner).count(records as u64, dead as u64);
        if let Some(blown) = blown {
            self.hold(blown);
            return std::future::pending().await;
        }
        if dead > 0 {
            self.write_all(batch, refused).await;
        }
    }

    fn is_blown(&self) -> bool {
        self.metrics.fuse_blown.get() == 1
    }

    fn hold(&self, blown: Blown) {
        tracing::error!(
            topic = self.topic,
            reason = %blown,
            "The fuse has blown: no more dead letters are written and no offset is committed. Look at the newest records of the dead-letter \
             topic, mend the cause, restart the indexer."
        );
        self.metrics.fuse_blown.set(1);
        self.condition.unmet(format!("the fuse has blown: {blown} (indexer.fuse); mend the cause and restart"));
    }

    async fn write_all(&self, batch: &Batch, refused: &[Refused]) {
        let undecodable = batch.undecodable.iter().map(|record| DeadLetter {
            origin: &record.origin,
            stage: "decode",
            error_type: record.error_type,
            reason: &record.reason,
            http_status: None,
            schema: record.schema.map(|id| id.0),
            attempts: 1,
        });
        let refused = refused.iter().filter_map(|refused| {
            let item = batch.items.get(refused.item)?;
            Some(DeadLetter {
                origin: &item.origin,
                stage: "index",
                error_type: &refused.error_type,
                reason: &refused.reason,
                http_status: Some(refused.status),
                schema: Some(item.schema.0),
                attempts: refused.attempts,
            })
        });
        let first_seen = milliseconds_now();
        futures::future::join_all(
            undecodable.chain(refused).map(|letter| async move { self.write_one(batch, &letter, first_seen).await }),
        )
        .await;
    }

    /// Waits up to `timeout` for what is under way.
    pub fn flush(&self, timeout: Duration) {
        if let Err(error) = self.producer.flush(timeout) {
            tracing::warn!(%error, "Dead letters are still under way; their records will be read again.");
        }
    }

    async fn write_one(&self, batch: &Batch, letter: &DeadLetter<'_>, first_seen: u128) {
        let mut headers = self.headers(letter, first_seen);
        let mut value = Some(&batch.raw[letter.origin.value.clone()]);
        let mut attempt = 0;
        while let Err(error) = self.attempt(batch, letter, value, headers.clone()).await {
            if is_too_large(&error)
                && let Some(omitted) = value.take()
            {
                self.warn_omitted(letter, omitted.len());
                headers = insert(headers, "dl.value-omitted", &omitted.len().to_string());
                continue;
            }
            attempt += 1;
            self.wait_to_retry(letter, &error, attempt).await;
        }
        if attempt > 0 && !self.is_blown() {
            self.condition.met();
        }
        self.metrics.dead_letters.with_label_values(&[letter.stage]).inc();
    }

    /// A record that is larger than the dead-letter topic takes must not hold up its partition for ever (P5): its letter goes without the
    /// value, which stays in the topic it came from, at the offset that the headers name.
    fn warn_omitted(&self, letter: &DeadLetter<'_>, bytes: usize) {
        tracing::error!(
            topic = self.topic,
            partition = letter.origin.partition.0,
            offset = letter.origin.offset.0,
            bytes,
            "A dead letter is larger than {} takes: it is written without its value. Raise that topic's max.message.bytes; fetch the value from \
             this offset while it is there.",
            self.dead_letter_topic
        );
    }

    async fn wait_to_retry(&self, letter: &DeadLetter<'_>, error: &KafkaError, attempt: u32) {
        let wait = backoff(attempt);
        tracing::warn!(
            topic = self.dead_letter_topic,
            partition = letter.origin.partition.0,
            offset = letter.origin.offset.0,
            %error,
            wait_ms = wait.as_millis(),
            "A dead letter was not acknowledged; its record holds the offset back until it is."
        );
        self.condition.unmet(format!("{} does not take dead letters: {error}", self.dead_letter_topic));
        tokio::time::sleep(wait).await;
    }

    async fn attempt(
        &self,
        batch: &Batch,
        letter: &DeadLetter<'_>,
        value: Option<&[u8]>,
        headers: OwnedHeaders,
    ) -> Result<(), KafkaError> {
        let mut record: FutureRecord<'_, [u8], [u8]> = FutureRecord::to(&self.dead_letter_topic).headers(headers);
        record.payload = value;
        record.key = letter.origin.key.clone().map(|key| &batch.raw[key]);
        self.producer.send(record, Timeout::After(DELIVERY_TIMEOUT)).await.map_err(|(error, _)| error)?;
        Ok(())
    }

    fn headers(&self, letter: &DeadLetter<'_>, first_seen: u128) -> OwnedHeaders {
        let origin = letter.origin;
        let mut headers = OwnedHeaders::new_with_capacity(11);
        let mut add = |key: &str, value: &str| headers = insert(std::mem::take(&mut headers), key, value);
        add("dl.stage", letter.stage);
        add("dl.error-type", letter.error_type);
        add("dl.reason", capped(letter.reason));
        add("dl.topic", &self.topic);
        add("dl.partition", &origin.partition.to_string());
        add("dl.offset", &origin.offset.to_string());
        add("dl.attempts", &letter.attempts.to_string());
        add("dl.first-seen", &first_seen.to_string());
        if let Some(timestamp) = origin.timestamp {
            add("dl.timestamp", &timestamp.to_string());
        }
        if let Some(status) = letter.http_status {
            add("dl.http-status", &status.to_string());
        }
        if let Some(schema) = letter.schema {
            add("dl.schema-id", &schema.to_string());
        }
        headers
    }
}

fn insert(headers: OwnedHeaders, key: &str, value: &str) -> OwnedHeaders {
    headers.insert(Header { key, value: Some(value) })
}

fn is_too_large(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge)
}

/// The first bytes of `reason`, cut where a character ends.
fn capped(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(MAX_REASON)]
}

/// A wait chosen evenly between nothing and a bound that doubles with each attempt ("full jitter").
fn backoff(attempt: u32) -> Duration {
    let bound = Duration::from_millis(100).saturating_mul(1 << attempt.min(10)).min(MAX_BACKOFF);
    rand::rng().random_range(Duration::ZERO..=bound)
}

fn milliseconds_now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis())
}
