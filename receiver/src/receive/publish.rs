//! Takes the events of a request through the producer's queue to Kafka's acknowledgement.

use std::sync::Arc;
use std::time::SystemTime;

use axum::http::HeaderMap;
use tokio::time::Instant;

use super::events::Events;
use super::request_id::{self, RequestId};
use crate::message::RecordHead;
use crate::metrics::SourceMetrics;
use crate::reject::Rejection;
use crate::request_trace::{Publish, RequestTrace};
use crate::source::Source;
use crate::stages::produce::{Delivery, ProduceError, Producer};
use crate::stages::validate::BatchError;

/// Takes the events of one source to Kafka.
pub(super) struct Publisher {
    source: Arc<Source>,
    producer: Arc<Producer>,
}

/// The events of a request in the producer's queue.
pub(super) struct Queued {
    count: usize,
    delivery: Arc<Delivery>,
    begin: Instant,
    /// See [`Queued::of_older_version`].
    is_older: bool,
    /// The span; `None` if traces are off.
    publish: Option<Publish>,
}

impl Queued {
    /// Notes that the events have an older version of the schema than the latest.
    pub(super) fn of_older_version(self) -> Self {
        Self { is_older: true, ..self }
    }
}

impl Publisher {
    /// Creates the publisher of the events of `source`.
    pub(super) fn new(source: &Arc<Source>, producer: &Arc<Producer>) -> Self {
        Self { source: Arc::clone(source), producer: Arc::clone(producer) }
    }

    /// Returns the parts of a request's records other than its events.
    pub(super) fn record<'a>(
        &'a self,
        request: &'a HeaderMap,
        received: SystemTime,
        id: &'a RequestId,
        trace: Option<&'a RequestTrace>,
    ) -> RecordHead<'a> {
        RecordHead {
            timestamp: received,
            source: &self.source.name,
            id_scope: self.source.qualifies_ids.then_some(&self.source.name),
            request_id: id.as_bytes(),
            traceparent: trace.map(RequestTrace::traceparent).or_else(|| request_id::traceparent(request)),
            trace,
        }
    }

    /// Queues the events of a request, and returns the delivery to wait for.
    pub(super) async fn queue(&self, events: Events<'_>, record: &RecordHead<'_>) -> Result<Queued, Rejection> {
        self.source.metrics.bodies.odd_uuids.inc_by(events.odd_uuids());
        let begin = Instant::now();
        let (producer, topic) = (&self.producer, &self.source.topic);
        let count = events.count();
        let publish = record.trace.map(|trace| trace.publish(topic, count));
        let record = &record.within(publish.as_ref());
        let queued = match events {
            Events::One(event) => producer.queue(topic, std::iter::once(event.borrowed()), record).await,
            Events::Many(batch) => producer.queue(topic, batch.events(), record).await,
        };
        let delivery = queued.map_err(|error| not_produced(error, &self.source.metrics))?;
        Ok(Queued { count, delivery, begin, is_older: false, publish })
    }

    /// Waits for the acknowledgements. Returns the number of events.
    pub(super) async fn delivered(&self, queued: Queued, deadline: Instant) -> Result<usize, Rejection> {
        let metrics = &self.source.metrics;
        let finished = self.producer.finished(&self.source.topic, &queued.delivery, deadline).await;
        finished.map_err(|error| not_produced(error, metrics))?;
        if let Some(publish) = queued.publish {
            publish.acknowledged();
        }
        metrics.produce_seconds.observe(queued.begin.elapsed().as_secs_f64());
        metrics.accepted(queued.count as u64);
        if queued.is_older {
            metrics.bodies.older_versions.inc();
        }
        Ok(queued.count)
    }
}

/// Returns the rejection for events that are not in Kafka. Counts refusals by Kafka in `metrics`.
fn not_produced(error: ProduceError, metrics: &SourceMetrics) -> Rejection {
    match error {
        ProduceError::QueueFull => Rejection::QueueFull,
        ProduceError::TooMany(most) => Rejection::Container(BatchError::TooManyEvents(most)),
        ProduceError::TooManyBytes(most) => Rejection::Container(BatchError::TooLarge(most)),
        ProduceError::TooLarge => Rejection::RecordTooLarge,
        ProduceError::Refused => Rejection::RecordRefused,
        ProduceError::Blocked(code) => {
            metrics.kafka_refused(code);
            Rejection::KafkaRefuses
        }
        ProduceError::Unavailable => Rejection::KafkaUnavailable,
    }
}
