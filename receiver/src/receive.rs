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
use shared::registry::{RegistryError, SchemaRegistry};
use shared::wire::SchemaId;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::authenticate::{Authentic, Claim, Peer};
use crate::metrics::{Counted, Metrics};
use crate::produce::{ProduceError, Producer, RecordHead};
use crate::reject::Rejection;
use crate::reject::budget::LogBudget;
use crate::source::{Source, Writer};
use crate::unframe::{Form, unframe};
use crate::validate::{Event, Invalid, validate};

pub(crate) use body::Buffer;
use held::Held;
pub(crate) use held::HeldBytes;
pub(crate) use rate::Rate;
use request_id::RequestId;

mod body;
mod held;
mod rate;
mod request_id;

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
        Ok(()) => accepted(),
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

fn accepted() -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], r#"{"accepted":1}"#).into_response()
}

impl Endpoint {
    /// The way of one event. It returns only when Kafka has acknowledged the event (P1).
    async fn accept(
        &self,
        head: &Parts,
        body: axum::body::Body,
        received: Received,
        request_id: &RequestId,
    ) -> Result<(), Rejection> {
        let deadline = received.instant + self.common.request_timeout.mul_f32(WAITS);
        let _place = self.common.places.try_acquire().map_err(|_| Rejection::Overloaded)?;
        let mut held = self.common.held_bytes.hold();
        let (mut body, claim) = self.authentic(head, body, received, deadline, &mut held).await?;
        let form = unframe(&head.headers, body.0.body()).map_err(Rejection::Unframe)?;
        let event = self.validate(form, &mut body, deadline).await?;
        let record = RecordHead {
            timestamp: received.wall,
            source: &self.source.name,
            request_id: request_id.as_bytes(),
            traceparent: request_id::traceparent(&head.headers),
        };
        self.produce(&event, &record, deadline).await?;
        claim.keep(SystemTime::now());
        Ok(())
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

    /// Reads the body in its form; see [`crate::unframe`] for the rule where the form is open.
    async fn validate<'a>(
        &self,
        form: Form,
        body: &'a mut Authentic,
        deadline: Instant,
    ) -> Result<Event<'a>, Rejection> {
        let (source, body) = (&self.source, &mut body.0);
        let invalid = |invalid| Rejection::Invalid { as_likely: Box::new(invalid), as_framed: None };
        match form {
            Form::Framed(id) => {
                let writer = self.writer(id, deadline).await?;
                validate(body.body(), &writer, source.limits).map_err(invalid)
            }
            Form::BareOf(id) => {
                let writer = self.writer(id, deadline).await?;
                validate(body.framed(id), &writer, source.limits).map_err(invalid)
            }
            Form::Bare => {
                let writer = source.current.load_full().ok_or(Rejection::SchemaUnavailable)?;
                validate(body.framed(writer.id), &writer, source.limits).map_err(invalid)
            }
            Form::BareOrFramed(id) => {
                let writer = source.current.load_full().ok_or(Rejection::SchemaUnavailable)?;
                body.frame(writer.id);
                match validate(body.with_frame(), &writer, source.limits) {
                    Ok(event) => self.unless_framed(id, body.body()).map(|()| event),
                    Err(bare) => self.validate_framed(id, body.body(), bare, deadline).await,
                }
            }
        }
    }

    /// Whether `body`, which is a bare datum, is not also a framed one with a schema that is in memory.
    fn unless_framed(&self, id: SchemaId, body: &[u8]) -> Result<(), Rejection> {
        let Some(schema) = self.common.registry.cached(id) else {
            return Ok(());
        };
        let Ok(writer) = self.source.writer(id, schema) else {
            return Ok(());
        };
        match validate(body, &writer, self.source.limits) {
            Ok(_) => Err(Rejection::Ambiguous(id)),
            Err(_) => Ok(()),
        }
    }

    /// Reads `body`, which is no bare datum because of `bare`, as a framed one.
    async fn validate_framed<'a>(
        &self,
        id: SchemaId,
        body: &'a [u8],
        bare: Invalid,
        deadline: Instant,
    ) -> Result<Event<'a>, Rejection> {
        let bare = Box::new(bare);
        let writer = match self.writer(id, deadline).await {
            Ok(writer) => writer,
            // No frame, then: four bytes of a datum that happened to stand where an id would.
            Err(Rejection::UnknownSchema(_) | Rejection::UnusableSchema(..)) => {
                return Err(Rejection::Invalid { as_likely: bare, as_framed: None });
            }
            Err(other) => return Err(other),
        };
        validate(body, &writer, self.source.limits)
            .map_err(|framed| Rejection::Invalid { as_likely: bare, as_framed: Some(Box::new(framed)) })
    }

    /// The schema of `id`: the source's current one, or from memory or from the registry.
    async fn writer(&self, id: SchemaId, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        if let Some(current) = self.source.current.load_full().filter(|current| current.id == id) {
            return Ok(current);
        }
        let schema = match self.common.registry.cached(id) {
            Some(schema) => schema,
            None => match tokio::time::timeout_at(deadline, self.common.registry.by_id(id)).await {
                Ok(Ok(schema)) => schema,
                Ok(Err(RegistryError::NotFound { .. })) => return Err(Rejection::UnknownSchema(id)),
                Ok(Err(RegistryError::Unusable { .. })) => {
                    return Err(Rejection::UnusableSchema(id, "it is not an Avro schema that can be used"));
                }
                Ok(Err(RegistryError::Unavailable { .. })) | Err(_) => return Err(Rejection::SchemaUnavailable),
            },
        };
        match self.source.writer(id, schema) {
            Ok(writer) => Ok(Arc::new(writer)),
            Err(_) => Err(Rejection::UnusableSchema(id, "it lacks the field that identifies an event")),
        }
    }

    /// Hands the event to Kafka and waits for the acknowledgement.
    async fn produce(&self, event: &Event<'_>, head: &RecordHead<'_>, deadline: Instant) -> Result<(), Rejection> {
        let begin = Instant::now();
        let result = self.common.producer.produce(&self.source.topic, event, head, deadline).await;
        match result {
            Ok(()) => {
                self.source.metrics.produce_seconds.observe(begin.elapsed().as_secs_f64());
                self.source.metrics.accepted(1);
                Ok(())
            }
            Err(ProduceError::QueueFull) => Err(Rejection::QueueFull),
            Err(ProduceError::TooLarge) => Err(Rejection::RecordTooLarge),
            Err(ProduceError::Unavailable) => Err(Rejection::KafkaUnavailable),
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
            let at = rejection.place();
            tracing::info!(source, request_id, status, code = word, ?at, suppressed, "Refused an event.");
        }
        rejection.into_response()
    }
}

#[cfg(test)]
mod tests;
