//! One request from its head to its answer: `receive → authenticate → unframe → validate → produce`.
//!
//! [`Endpoint::accept`] is that sentence. All waits (for the body, the registry, Kafka) share one deadline, a little less than
//! `receiver.request_timeout` after the head, so that the answer is out by then: a body that is late is answered 408 (RFC 9110, section 15.5.9: the server
//! did not receive a complete request in time), everything of ours that is late 503.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Version};
use axum::response::{IntoResponse, Response};
use shared::registry::SchemaRegistry;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::authenticate::{Authentic, Claim, Peer};
use crate::metrics::{Counted, Metrics};
use crate::produce::{ProduceError, Producer, RecordHead};
use crate::reject::Rejection;
use crate::reject::budget::LogBudget;
use crate::reject::place::Place;
use crate::source::Source;
use crate::unframe::unframe;
use crate::validate::{BatchError, Event};

pub(crate) use body::Buffer;
pub(crate) use held::HeldBytes;
pub(crate) use rate::Rate;
pub(crate) use work::Workers;

use events::Events;
use held::Held;
use request_id::RequestId;

mod again;
mod aside;
mod body;
pub(crate) mod content;
mod events;
mod held;
mod rate;
mod request_id;
mod schemas;
mod work;

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
    /// A permit for each request that may be under way.
    pub(crate) places: Semaphore,
    /// The bytes of bodies that may be in memory.
    pub(crate) held_bytes: HeldBytes,
    /// Cancelled once the receiver is to stop.
    pub(crate) stopping: CancellationToken,
    /// The metrics that are not of one source.
    pub(crate) metrics: Metrics,
    /// Threads for work that takes long.
    pub(crate) workers: Workers,
    /// How much may be logged about rejections.
    pub(crate) log_budget: LogBudget,
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
pub(crate) async fn method_not_allowed(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap) -> Response {
    endpoint.rejected(Rejection::MethodNotAllowed, SystemTime::now(), &RequestId::of(&headers))
}

fn accepted(count: usize) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], format!(r#"{{"accepted":{count}}}"#)).into_response()
}

impl Endpoint {
    /// The way of a request: gives how many events it brought. It returns only when Kafka has acknowledged all of them (P1).
    async fn accept(
        &self,
        head: &Parts,
        body: axum::body::Body,
        received: Received,
        request_id: &RequestId,
    ) -> Result<usize, Rejection> {
        let deadline = received.instant + self.common.request_timeout.mul_f32(WAITS);
        let _place = self.common.places.try_acquire().map_err(|_| Rejection::Overloaded)?;
        let mut held = self.common.held_bytes.hold();
        let (mut body, claim) = self.authentic(head, body, received, deadline, &mut held).await?;
        let record = RecordHead {
            timestamp: received.wall,
            source: &self.source.name,
            id_scope: self.source.qualifies_ids.then_some(&self.source.name),
            request_id: request_id.as_bytes(),
            traceparent: request_id::traceparent(&head.headers),
        };
        let taken = self.take(&head.headers, &mut body, &mut held, &record, deadline).await;
        match &taken {
            Ok(_) => claim.keep(SystemTime::now()),
            Err(rejection) => {
                body.0.unframe();
                self.set_aside(rejection, &head.headers, body.0.body(), &record, received.instant);
            }
        }
        taken
    }

    /// Reads the body and sees to it that it is from somebody who may post, and may post now. Only who is authentic uses up the
    /// source's rate.
    async fn authentic(
        &self,
        head: &Parts,
        body: axum::body::Body,
        received: Received,
        deadline: Instant,
        held: &mut Held<'_>,
    ) -> Result<(Authentic, Claim), Rejection> {
        let source = &*self.source;
        let authenticator = source.authenticator.current();
        let unauthorized = |_| Rejection::Unauthorized(authenticator.challenge());
        let take = || source.rate.as_ref().map_or(Ok(()), |rate| rate.take(Instant::now()));

        let peer = head.extensions.get::<Arc<Peer>>().map(AsRef::as_ref);
        let admitted = authenticator.check_head(&head.headers, peer, received.wall).map_err(unauthorized);
        let admitted = admitted.and_then(|pending| match pending.is_authentic() {
            true => take().map(|()| (pending, true)),
            false => Ok((pending, false)),
        });
        let (pending, by_head) = match admitted {
            Ok(admitted) => admitted,
            Err(rejection) => {
                body::discard(head.version, body).await;
                return Err(rejection);
            }
        };
        let body = body::read(body, source.max_body, deadline, held).await?;
        source.metrics.body_bytes.inc_by(body.body().len() as u64);
        let (body, claim) = pending.check_body(body, received.wall).map_err(unauthorized)?;
        if !by_head {
            take()?;
        }
        Ok((body, claim))
    }

    /// The way of an authentic body.
    async fn take(
        &self,
        head: &HeaderMap,
        body: &mut Authentic,
        held: &mut Held<'_>,
        record: &RecordHead<'_>,
        deadline: Instant,
    ) -> Result<usize, Rejection> {
        let compressed = body.0.body().len();
        self.decode(head, body, deadline).await?;
        held.grow(body.0.body().len().saturating_sub(compressed))?;
        let form = unframe(head, body.0.body()).map_err(Rejection::Unframe)?;
        let generation = self.source.generation();
        let refused = match self.events(form, body, deadline).await {
            Ok(events) => return self.deliver(events, record, deadline).await,
            Err(refused) => refused,
        };
        self.read_again(form, (refused, generation), body, record, deadline).await
    }

    /// Hands what a request brings to Kafka; gives how many events it is.
    async fn deliver(
        &self,
        events: Events<'_>,
        record: &RecordHead<'_>,
        deadline: Instant,
    ) -> Result<usize, Rejection> {
        match events {
            Events::One(event) => self.produce(std::iter::once(event.borrowed()), record, deadline).await,
            Events::Many(batch) => self.produce(batch.events(), record, deadline).await,
        }
    }

    /// Hands events to Kafka and waits for the acknowledgements; gives how many they were.
    async fn produce<'e>(
        &self,
        events: impl ExactSizeIterator<Item = Event<'e>> + Clone,
        head: &RecordHead<'_>,
        deadline: Instant,
    ) -> Result<usize, Rejection> {
        let begin = Instant::now();
        let count = events.len();
        let result = self.common.producer.produce(&self.source.topic, events, head, deadline).await;
        match result {
            Ok(()) => {
                self.source.metrics.produce_seconds.observe(begin.elapsed().as_secs_f64());
                self.source.metrics.accepted(count as u64);
                Ok(count)
            }
            Err(error) => Err(self.not_produced(error)),
        }
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
        let (word, status) = (rejection.word(), rejection.status().as_u16());
        self.source.metrics.rejected(word);
        let (source, request_id) = (self.source.name.as_str(), request_id.as_str());
        if !rejection.is_telling() {
            tracing::debug!(source, request_id, status, code = word, "Refused a request.");
        } else if let Some(suppressed) = self.common.log_budget.take(now) {
            let at = Place::of(&rejection);
            tracing::info!(source, request_id, status, code = word, ?at, suppressed, "Refused an event.");
        }
        rejection.into_response()
    }
}

#[cfg(test)]
mod tests;
