//! One request from its head to its answer: `receive → authenticate → unframe → validate → produce`.
//!
//! [`Endpoint::accept`] is that sentence. All waits (for the body, the registry, Kafka) share one deadline, a little
//! less than `receiver.request_timeout` after the head, so that the answer is out by then: a body that is late is
//! answered 408 (RFC 9110, section 15.5.9: the server did not receive a complete request in time), everything of ours
//! that is late 503.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Version};
use axum::response::{IntoResponse, Response};
use config::Network;
use registry::SchemaRegistry;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::body_budget::MemoryBudget;
use crate::client::Visit;
use crate::message::Buffer;
use crate::message::RecordHead;
use crate::metrics::{Counted, Metrics};
use crate::reject::Rejection;
use crate::reject::location::ErrorLocation;
use crate::source::Source;
use crate::stages::authenticate::Forwarded;
use crate::stages::produce::{Delivery, ProduceError, Producer};
use crate::stages::validate::BatchError;
use crate::workers::Workers;

pub(crate) use anteroom::Anteroom;

use admit::Admitted;
use events::Events;
use reader::Reader;
use request_id::RequestId;

mod admit;
mod again;
mod anteroom;
mod body;
pub(crate) mod content;
pub(crate) mod events;
pub(crate) mod reader;
pub(crate) mod request_id;
pub(crate) mod schemas;
mod set_aside;
pub(crate) mod verify;

/// The part of `receiver.request_timeout` that may be spent waiting; the rest is for the answer.
const WAITS: f32 = 0.95;

/// What all sources share.
pub(crate) struct Common {
    /// Where schemas come from.
    pub(crate) registry: SchemaRegistry,
    /// Where events go.
    pub(crate) producer: Arc<Producer>,
    /// `receiver.request_timeout`.
    pub(crate) request_timeout: Duration,
    /// A permit for each request of an authenticated sender that may be in flight.
    pub(crate) request_permits: Semaphore,
    /// Where requests wait whose sender is not known before the body is there.
    pub(crate) anteroom: Anteroom,
    /// `receiver.unauthenticated_timeout`.
    pub(crate) unauthenticated_timeout: Duration,
    /// A permit for each body that nobody wants and is let arrive.
    pub(crate) discards: Semaphore,
    /// `receiver.trusted_proxies`.
    pub(crate) trusted_proxies: Vec<Network>,
    /// `receiver.forwarded_certificate`.
    pub(crate) forwarded_certificate: Option<Forwarded>,
    /// The bytes that requests may hold in memory.
    pub(crate) memory_budget: MemoryBudget,
    /// Cancelled once the receiver is to stop.
    pub(crate) stopping: CancellationToken,
    /// The metrics that are not of one source.
    pub(crate) metrics: Metrics,
    /// Threads for work that takes long.
    pub(crate) workers: Workers,
    /// How much may be logged about rejections.
    pub(crate) log_budget: service::budget::LogBudget,
}

/// One source and what it needs to serve requests.
pub(crate) struct Endpoint {
    /// The source.
    pub(crate) source: Arc<Source>,
    /// What it shares with the others.
    pub(crate) common: Arc<Common>,
}

/// When a request's head had arrived, by both clocks.
#[derive(Clone, Copy)]
struct Received {
    wall: SystemTime,
    instant: Instant,
}

/// What a request has brought, in the producer's queue.
struct Queued {
    count: usize,
    delivery: Arc<Delivery>,
    begin: Instant,
    /// Whether it is of an older version of the schema than the latest.
    is_older: bool,
}

/// Answers a request to a source.
pub(crate) async fn receive(State(endpoint): State<Arc<Endpoint>>, request: Request) -> Response {
    let received = Received { wall: SystemTime::now(), instant: Instant::now() };
    let _counted = Counted::new(&endpoint.common.metrics.in_flight);
    let (head, body) = request.into_parts();
    let request_id = RequestId::of(&head.headers);
    let keeps_connection = head.version >= Version::HTTP_2;

    let mut response = match endpoint.accept(&head, body, received, &request_id).await {
        Ok(count) => accepted(count),
        Err(rejection) => endpoint.rejected(rejection, received.wall, &request_id),
    };
    response.headers_mut().insert(request_id::HEADER, request_id.into_value());
    if !keeps_connection && endpoint.common.stopping.is_cancelled() {
        // So that its next request goes to another receiver before this one closes.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    endpoint.source.metrics.request_seconds.observe(received.instant.elapsed().as_secs_f64());
    response
}

/// Answers what is not a POST to a source.
pub(crate) async fn other_method(State(endpoint): State<Arc<Endpoint>>, request: Request) -> Response {
    match &endpoint.source.verification {
        Some(verification) if matches!(*request.method(), Method::GET | Method::HEAD) => {
            verify::answer(verification, request.uri())
        }
        Some(_) if *request.method() == Method::OPTIONS => verify::options(request.headers()),
        _ => endpoint.rejected(Rejection::MethodNotAllowed, SystemTime::now(), &RequestId::of(request.headers())),
    }
}

fn accepted(count: usize) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], format!(r#"{{"accepted":{count}}}"#)).into_response()
}

impl Endpoint {
    /// The way of a request: returns how many events it brought. It returns only when Kafka has acknowledged all of
    /// them (P1).
    async fn accept(
        &self,
        head: &Parts,
        body: axum::body::Body,
        received: Received,
        request_id: &RequestId,
    ) -> Result<usize, Rejection> {
        let deadline = received.instant + self.common.request_timeout.mul_f32(WAITS);
        let mut admitted = self.admit(head, body, received, deadline).await?;
        let record = RecordHead {
            timestamp: received.wall,
            source: &self.source.name,
            id_scope: self.source.qualifies_ids.then_some(&self.source.name),
            request_id: request_id.as_bytes(),
            traceparent: request_id::traceparent(&head.headers),
        };
        let taken = self.take(&head.headers, &mut admitted, &record, deadline).await;
        match &taken {
            Ok(_) => {
                admitted.claim.keep(SystemTime::now());
                head.extensions.get::<Visit>().inspect(|visit| visit.client().set_known());
            }
            Err(rejection) => {
                admitted.body.0.unframe();
                self.set_aside(rejection, &head.headers, admitted.body.0.body(), &record, received.instant);
            }
        }
        taken
    }

    /// Returns the way of an authentic body.
    async fn take(
        &self,
        head: &HeaderMap,
        admitted: &mut Admitted<'_>,
        record: &RecordHead<'_>,
        deadline: Instant,
    ) -> Result<usize, Rejection> {
        let Admitted { body, budget, .. } = admitted;
        let reader = self.reader();
        let form = reader.form(head, &mut body.0, budget, deadline).await?;
        let generation = self.source.generation();
        let queued = match reader.events(form, &mut body.0, budget, deadline).await {
            Ok(events) => self.queue(events, record).await?,
            Err(refused) => {
                let bytes = (&mut *body, &mut *budget);
                self.read_again(form, (refused, generation), bytes, record, deadline).await?
            }
        };
        // The producer has its own copy, in a queue of its own limit.
        body.0 = Buffer::default();
        budget.release();
        self.delivered(&queued, deadline).await
    }

    /// Returns what reads bodies of this source.
    fn reader(&self) -> Reader<'_, Self> {
        let (reading, workers) = (&self.source.reading, &self.common.workers);
        Reader { schemas: self, reading, limits: self.source.batch_limits, workers }
    }

    /// Hands what a request brings to Kafka, and returns what to wait for.
    async fn queue(&self, events: Events<'_>, record: &RecordHead<'_>) -> Result<Queued, Rejection> {
        self.source.metrics.bodies.odd_uuids.inc_by(events.odd_uuids());
        let begin = Instant::now();
        let (producer, topic) = (&self.common.producer, &self.source.topic);
        let (count, queued) = match events {
            Events::One(event) => (1, producer.queue(topic, std::iter::once(event.borrowed()), record).await),
            Events::Many(batch) => (batch.events().len(), producer.queue(topic, batch.events(), record).await),
        };
        let delivery = queued.map_err(|error| self.not_produced(error))?;
        Ok(Queued { count, delivery, begin, is_older: false })
    }

    /// Waits for the acknowledgements; returns how many events they were.
    async fn delivered(&self, queued: &Queued, deadline: Instant) -> Result<usize, Rejection> {
        let finished = self.common.producer.finished(&self.source.topic, &queued.delivery, deadline).await;
        finished.map_err(|error| self.not_produced(error))?;
        let metrics = &self.source.metrics;
        metrics.produce_seconds.observe(queued.begin.elapsed().as_secs_f64());
        metrics.accepted(queued.count as u64);
        if queued.is_older {
            metrics.bodies.older_versions.inc();
        }
        Ok(queued.count)
    }

    fn not_produced(&self, error: ProduceError) -> Rejection {
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

    /// Counts, logs and answers a rejection.
    fn rejected(&self, rejection: Rejection, now: SystemTime, request_id: &RequestId) -> Response {
        let (code, status) = (rejection.code(), rejection.status().as_u16());
        self.source.metrics.rejected(code);
        let (source, request_id) = (self.source.name.as_str(), request_id.as_str());
        if !rejection.is_telling() {
            tracing::debug!(source, request_id, status, code, "Refused a request.");
        } else if let Some(suppressed) = self.common.log_budget.take(now) {
            let at = ErrorLocation::of(&rejection).map(tracing::field::display);
            tracing::info!(source, request_id, status, code, at, suppressed, "Refused an event.");
        }
        rejection.into_response()
    }
}

#[cfg(test)]
mod tests;
