//! Writes records that can never be indexed to the dead-letter topic.
//!
//! Key, value and headers stay unchanged; further headers say what happened and where the record came from. A batch
//! settles only when all its dead letters are acknowledged (P3), so writing is retried until they are. If nearly
//! everything would become a dead letter, the [`Fuse`](crate::fuse::Fuse) blows: nothing more is written or committed
//! until the cause is fixed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::error::KafkaError;
use service::admin::Condition;
use service::backoff::Backoff;
use service::budget::LogBudget;
use tokio::sync::Semaphore;

use crate::batch::Batch;
use crate::bulk::{Bulk, Refused};
use crate::config::Config;
use crate::metrics::Metrics;
use hold::Hold;
use letter::{DeadLetter, Omitted};
use sender::{Sender, is_too_large};

mod hold;
mod letter;
mod sender;

/// The most KiB of letters in flight at a time. A larger letter is sent alone.
const MAX_KIB_IN_FLIGHT: u32 = 16 * 1024;
/// The share of `indexer.max_in_flight_bytes` for letters in flight: one part in this many.
const SHARE: u64 = 4;
/// How long one attempt may take.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(20);
/// The waits between attempts.
const BACKOFF: Backoff = Backoff { initial: Duration::from_millis(200), max: Duration::from_secs(5) };

/// Writes dead letters.
pub struct DeadLetters {
    sender: Sender,
    dead_letter_topic: String,
    topic: String,
    /// The room for letters in flight, in KiB.
    in_flight: Semaphore,
    max_kib: u32,
    hold: Hold,
    condition: Condition,
    metrics: Metrics,
    budget: LogBudget,
}

impl DeadLetters {
    /// Creates the producer for `kafka.dead_letter_topic`. `condition` is unmet once the fuse has blown.
    ///
    /// # Errors
    /// If librdkafka refuses `kafka.options`.
    pub fn new(config: &Config, condition: Condition, metrics: Metrics) -> Result<Self, KafkaError> {
        condition.met();
        let max_kib = max_kib(config.indexer.max_in_flight_bytes.as_u64());
        Ok(Self {
            sender: Sender::new(&config.kafka)?,
            dead_letter_topic: config.kafka.dead_letter_topic.clone(),
            topic: config.kafka.topic.clone(),
            in_flight: Semaphore::new(max_kib as usize),
            max_kib,
            hold: Hold::new(config, metrics.fuse_blown.clone()),
            condition,
            metrics,
            budget: LogBudget::default(),
        })
    }

    /// Writes the undecodable and `refused` records of `batch`, and returns when all are acknowledged. While the fuse
    /// has blown, waits and lets `bulk` retry the refused ones.
    pub async fn write(&self, bulk: &Bulk, batch: &Batch, mut refused: Vec<Refused>) {
        let records = batch.items.len() + batch.undecodable.len();
        let dead = batch.undecodable.len() + refused.len();
        if let Some(reason) = self.hold.count(records as u64, dead as u64) {
            self.condition
                .unmet(format!("the fuse has blown: {reason} (indexer.fuse); the indexer tries again by itself"));
        }
        if self.hold.is_blown() {
            refused = self.hold.wait(bulk, batch, refused).await;
            if !self.hold.is_blown() {
                self.condition.met();
            }
        }
        if refused.len() + batch.undecodable.len() > 0 {
            self.write_all(batch, &refused).await;
        }
    }

    async fn write_all(&self, batch: &Batch, refused: &[Refused]) {
        let first_seen = milliseconds_now();
        let undecodable = batch.undecodable.iter().map(|record| DeadLetter {
            origin: &record.origin,
            stage: "decode",
            error_type: record.error_type,
            reason: &record.reason,
            http_status: None,
            schema: record.schema.map(|id| id.0),
            attempts: 1,
            first_seen,
        });
        let refused = refused.iter().filter_map(|refused| {
            let item = batch.items.get(refused.item)?;
            Some(DeadLetter {
                origin: &item.origin,
                stage: "index",
                error_type: &refused.error_type,
                reason: &refused.reason,
                http_status: (refused.status > 0).then_some(refused.status),
                schema: Some(item.schema.0),
                attempts: refused.attempts,
                first_seen,
            })
        });
        let letters = undecodable.chain(refused);
        futures::future::join_all(letters.map(|letter| async move { self.write_one(batch, &letter).await })).await;
    }

    async fn write_one(&self, batch: &Batch, letter: &DeadLetter<'_>) {
        let kib = u32::try_from(letter.len() / 1024 + 1).unwrap_or(self.max_kib).min(self.max_kib);
        // The semaphore is never closed, so this does not fail.
        let _permit = self.in_flight.acquire_many(kib).await;
        let mut omitted = Omitted::default();
        let mut attempt = 0;
        loop {
            let record = letter.record(&self.dead_letter_topic, &self.topic, batch, omitted);
            let Err(error) = self.sender.send(record).await else { break };
            if is_too_large(&error)
                && let Some(more) = letter.omit_more(omitted)
            {
                omitted = more;
                continue;
            }
            attempt += 1;
            self.wait_to_retry(batch, letter, &error, attempt).await;
        }
        if omitted != Omitted::default() {
            self.log_omitted(batch, letter, omitted);
        }
        if attempt > 0 && !self.hold.is_blown() {
            self.condition.met();
        }
        self.log_written(batch, letter);
        self.metrics.letters.written(&self.topic, letter.stage, letter.error_type);
        if batch.is_redriven(letter.origin) {
            self.metrics.letters.redriven.with_label_values(&[&self.topic]).inc();
        }
    }

    /// Logs a letter within the budget, so that it can be found by the request that brought the event. The reason may
    /// quote the event, so only the letter contains it.
    fn log_written(&self, batch: &Batch, letter: &DeadLetter<'_>) {
        let Some(suppressed) = self.budget.take(SystemTime::now()) else { return };
        tracing::warn!(
            topic = self.topic,
            partition = letter.origin.partition.0,
            offset = letter.origin.offset.0,
            request_id = batch.request_id(letter.origin),
            stage = letter.stage,
            error_type = letter.error_type,
            suppressed,
            "A record became a dead letter."
        );
    }

    /// Logs that a letter was shortened. A record larger than the dead-letter topic accepts must not block its
    /// partition forever (P5). Its letter is written without the value, the key or the headers. They stay in the
    /// original topic, at the offset that the letter's headers name.
    fn log_omitted(&self, batch: &Batch, letter: &DeadLetter<'_>, omitted: Omitted) {
        tracing::error!(
            topic = self.topic,
            partition = letter.origin.partition.0,
            offset = letter.origin.offset.0,
            request_id = batch.request_id(letter.origin),
            %omitted,
            "A dead letter is too large for {} and is written without a part of it. Raise that topic's \
             max.message.bytes; fetch the record from this offset while it exists.",
            self.dead_letter_topic
        );
    }

    async fn wait_to_retry(&self, batch: &Batch, letter: &DeadLetter<'_>, error: &KafkaError, attempt: u32) {
        let wait = BACKOFF.wait(attempt, &mut rand::rng());
        tracing::warn!(
            topic = self.topic,
            partition = letter.origin.partition.0,
            offset = letter.origin.offset.0,
            request_id = batch.request_id(letter.origin),
            dead_letter_topic = self.dead_letter_topic,
            %error,
            wait_ms = wait.as_millis(),
            "A dead letter was not acknowledged; its record holds back the offset until it is."
        );
        self.condition.unmet(format!("{} does not accept dead letters: {error}", self.dead_letter_topic));
        tokio::time::sleep(wait).await;
    }
}

/// Returns how many KiB of letters may be in flight if the topic may hold `max_in_flight_bytes`.
fn max_kib(max_in_flight_bytes: u64) -> u32 {
    u32::try_from(max_in_flight_bytes / SHARE / 1024).unwrap_or(u32::MAX).clamp(1, MAX_KIB_IN_FLIGHT)
}

fn milliseconds_now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis())
}

#[cfg(test)]
mod tests;
