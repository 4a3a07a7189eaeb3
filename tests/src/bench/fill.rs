//! Fills a topic with framed events, as fast as Kafka takes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext};
use shared::wire::{self, SchemaId};
use tokio_util::sync::CancellationToken;

use crate::event::{Events, now};

/// How long Kafka may take for what is in the queue.
const PATIENCE: Duration = Duration::from_secs(60);

/// Counts what Kafka has acknowledged.
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

/// Writes `events` events to `topic`, each with its id as the key. Ends early when it is dropped.
///
/// # Errors
/// When Kafka does not take all of them.
pub(super) async fn fill(brokers: &str, topic: &str, schema_id: u32, events: u64) -> anyhow::Result<()> {
    let (brokers, topic) = (brokers.to_owned(), topic.to_owned());
    let dropped = CancellationToken::new();
    let _guard = dropped.clone().drop_guard();
    let work = move || fill_now(&brokers, &topic, SchemaId(schema_id), events, &dropped);
    tokio::task::spawn_blocking(work).await?
}

fn fill_now(
    brokers: &str,
    topic: &str,
    schema: SchemaId,
    events: u64,
    dropped: &CancellationToken,
) -> anyhow::Result<()> {
    let acknowledged = Acknowledged::default();
    let producer: ThreadedProducer<Acknowledged> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("acks", "all")
        .set("linger.ms", "20")
        .create_with_context(acknowledged.clone())?;
    let source = Events::new(0, now());
    for number in 0..events {
        if dropped.is_cancelled() {
            return Ok(());
        }
        let event = source.event(number);
        let mut value = wire::frame(schema).to_vec();
        value.extend_from_slice(&event.encode());
        let mut record = BaseRecord::to(topic).key(&event.event_id).payload(&value);
        while let Err((error, back)) = producer.send(record) {
            let full = matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
            anyhow::ensure!(full && !dropped.is_cancelled(), "Kafka does not take event {number}: {error}");
            std::thread::sleep(Duration::from_millis(5));
            record = back;
        }
    }
    producer.flush(PATIENCE).context("Kafka does not acknowledge the events")?;
    let acknowledged = acknowledged.0.load(Ordering::Relaxed);
    anyhow::ensure!(acknowledged == events, "Kafka has acknowledged {acknowledged} of {events} events");
    Ok(())
}
