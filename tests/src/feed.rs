//! Writes framed events into a topic without a receiver, as fast as Kafka accepts them or at a given rate.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext};
use registry::wire::{self, SchemaId};
use tokio_util::sync::CancellationToken;

use crate::sender::Mix;

/// The time limit for Kafka to accept the queued events.
const PATIENCE: Duration = Duration::from_secs(60);

/// Counts the records that Kafka acknowledged.
#[derive(Clone, Debug, Default)]
struct Acknowledged(Arc<AtomicU64>);

impl ClientContext for Acknowledged {}

impl ProducerContext for Acknowledged {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if result.is_ok() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Describes what to write, and where.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Kafka's address, `host:port`.
    pub brokers: String,
    /// The topic.
    pub topic: String,
    /// The ids of the events' schemas, used in turn. At least one.
    pub schema_ids: Vec<u32>,
    /// The events. Their ids are the keys.
    pub mix: Mix,
    /// The number of events per second; `None` writes as fast as Kafka accepts them.
    pub per_second: Option<u32>,
}

impl Feed {
    /// Writes the events with these numbers, and waits until Kafka has acknowledged all of them. Stops early when
    /// dropped.
    ///
    /// # Errors
    /// If Kafka does not accept all of them.
    pub async fn write(&self, numbers: Range<u64>) -> anyhow::Result<()> {
        let feed = self.clone();
        let dropped = CancellationToken::new();
        let _guard = dropped.clone().drop_guard();
        tokio::task::spawn_blocking(move || feed.write_now(numbers, &dropped)).await?
    }

    fn write_now(&self, numbers: Range<u64>, dropped: &CancellationToken) -> anyhow::Result<()> {
        let acknowledged = Acknowledged::default();
        let producer: ThreadedProducer<Acknowledged> = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("acks", "all")
            .set("linger.ms", "20")
            .create_with_context(acknowledged.clone())?;
        let begin = Instant::now();
        let count = numbers.end.saturating_sub(numbers.start);
        for (written, number) in (0..).zip(numbers) {
            self.keep_pace(begin, written);
            if dropped.is_cancelled() {
                return Ok(());
            }
            self.send(&producer, number, dropped)?;
        }
        producer.flush(PATIENCE).context("Kafka does not acknowledge the events")?;
        let acknowledged = acknowledged.0.load(Ordering::Relaxed);
        anyhow::ensure!(acknowledged == count, "Kafka has acknowledged {acknowledged} of {count} events");
        Ok(())
    }

    fn send(
        &self,
        producer: &ThreadedProducer<Acknowledged>,
        number: u64,
        dropped: &CancellationToken,
    ) -> anyhow::Result<()> {
        let key = self.mix.events.id(number);
        let mut value = wire::frame(self.schema_id(number)?).to_vec();
        value.extend_from_slice(&self.mix.body(number));
        let mut record = BaseRecord::to(&self.topic).key(&key).payload(&value);
        while let Err((error, back)) = producer.send(record) {
            let full = matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
            anyhow::ensure!(full && !dropped.is_cancelled(), "Kafka does not take event {number}: {error}");
            std::thread::sleep(Duration::from_millis(5));
            record = back;
        }
        Ok(())
    }

    fn schema_id(&self, number: u64) -> anyhow::Result<SchemaId> {
        let turn = number.checked_rem(self.schema_ids.len() as u64).context("the feed has no schema")?;
        let id = self.schema_ids.get(usize::try_from(turn)?).context("the feed has no schema")?;
        Ok(SchemaId(*id))
    }

    /// Sleeps until the next event is due, after `written` others.
    fn keep_pace(&self, begin: Instant, written: u32) {
        let Some(per_second) = self.per_second else { return };
        let due = Duration::from_secs(1) * written / per_second.max(1);
        if let Some(wait) = due.checked_sub(begin.elapsed()) {
            std::thread::sleep(wait);
        }
    }
}

#[cfg(test)]
mod tests;
