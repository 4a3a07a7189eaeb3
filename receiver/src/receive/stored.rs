//! Takes the events of a request through the producer's queue to Kafka's acknowledgement.

use std::sync::Arc;

use tokio::time::Instant;

use super::Endpoint;
use super::reader::Events;
use crate::message::RecordHead;
use crate::reject::Rejection;
use crate::request_trace::Publish;
use crate::stages::produce::{Delivery, ProduceError};
use crate::stages::validate::BatchError;

/// The events of a request in the producer's queue.
pub(super) struct Queued {
    pub(super) count: usize,
    pub(super) delivery: Arc<Delivery>,
    pub(super) begin: Instant,
    /// Whether the events have an older version of the schema than the latest.
    pub(super) is_older: bool,
    /// The span; `None` if traces are off.
    pub(super) publish: Option<Publish>,
}

impl Endpoint {
    /// Queues the events of a request, and returns the delivery to wait for.
    pub(super) async fn queue(&self, events: Events<'_>, record: &RecordHead<'_>) -> Result<Queued, Rejection> {
        self.source.metrics.bodies.odd_uuids.inc_by(events.odd_uuids());
        let begin = Instant::now();
        let (producer, topic) = (&self.common.producer, &self.source.topic);
        let count = events.count();
        let publish = record.trace.map(|trace| trace.publish(topic, count));
        let record = &record.within(publish.as_ref());
        let queued = match events {
            Events::One(event) => producer.queue(topic, std::iter::once(event.borrowed()), record).await,
            Events::Many(batch) => producer.queue(topic, batch.events(), record).await,
        };
        let delivery = queued.map_err(|error| self.not_produced(error))?;
        Ok(Queued { count, delivery, begin, is_older: false, publish })
    }

    /// Waits for the acknowledgements. Returns the number of events.
    pub(super) async fn delivered(&self, queued: Queued, deadline: Instant) -> Result<usize, Rejection> {
        let finished = self.common.producer.finished(&self.source.topic, &queued.delivery, deadline).await;
        finished.map_err(|error| self.not_produced(error))?;
        if let Some(publish) = queued.publish {
            publish.acknowledged();
        }
        let metrics = &self.source.metrics;
        metrics.produce_seconds.observe(queued.begin.elapsed().as_secs_f64());
        metrics.accepted(queued.count as u64);
        if queued.is_older {
            metrics.bodies.older_versions.inc();
        }
        Ok(queued.count)
    }

    pub(super) fn not_produced(&self, error: ProduceError) -> Rejection {
        match error {
            ProduceError::QueueFull => Rejection::QueueFull,
            ProduceError::TooMany(most) => Rejection::Container(BatchError::TooManyEvents(most)),
            ProduceError::TooManyBytes(most) => Rejection::Container(BatchError::TooLarge(most)),
            ProduceError::TooLarge => Rejection::RecordTooLarge,
            ProduceError::Refused => Rejection::RecordRefused,
            ProduceError::Blocked(code) => {
                self.source.metrics.kafka_refused(code);
                Rejection::KafkaRefuses
            }
            ProduceError::Unavailable => Rejection::KafkaUnavailable,
        }
    }
}
