//! One request from its head to its answer: `receive → authenticate → unframe → validate → produce`.
//!
//! [`Endpoint::accept`] runs all stages, and [`Reader::read`] the middle ones, which `ingest_offline` and the fuzzer
//! use as well. All waits (for the body, the registry, Kafka) share one deadline, a little less than
//! `receiver.request_timeout` after the head, so that the answer is sent by then. A late body is answered with 408 (RFC
//! 9110, section 15.5.9: the server did not receive a complete request in time), all other delays with 503.

use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONNECTION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Version};
use axum::response::Response;
use tokio::time::Instant;

use crate::body_budget::BodyBudget;
use crate::client::{Client, Visit};
use crate::message::{Buffer, RecordHead};
use crate::metrics::Counted;
use crate::reject::Rejection;
use crate::request_trace::RequestTrace;
use crate::stages::authenticate::{Authentic, Authenticator, Pending, Refused};
use crate::stages::unframe::{Form, unframe};

pub(crate) use answer::other_method;
pub(crate) use anteroom::Anteroom;
pub(crate) use endpoint::{Common, Endpoint};

use answer::accepted;
use reader::{Events, Reader, Schemas, Unread};
use request_id::RequestId;
use stored::Queued;

mod admit;
mod again;
mod answer;
mod anteroom;
mod body;
mod certificate;
pub(crate) mod content;
mod endpoint;
mod events;
mod file_schema;
pub(crate) mod reader;
pub(crate) mod request_id;
mod schemas;
mod set_aside;
mod stored;
mod traced;
pub(crate) mod verify;

/// The part of `receiver.request_timeout` that may be spent waiting. The rest is for the answer.
const WAITS: f32 = 0.95;

/// The time at which a request's head arrived, by both clocks.
#[derive(Clone, Copy)]
struct Received {
    wall: SystemTime,
    instant: Instant,
}

/// What became of a request.
enum Outcome {
    /// So many events of it are stored.
    Accepted(usize),
    /// It was the challenge of a vendor, which is answered so.
    Challenged(Response),
}

/// Answers a request to a source.
pub(crate) async fn receive(State(endpoint): State<Arc<Endpoint>>, request: Request) -> Response {
    if let Some(answer) = endpoint.source.challenge.as_ref().and_then(|it| verify::bodiless(it, &request)) {
        return answer;
    }
    let received = Received { wall: SystemTime::now(), instant: Instant::now() };
    let _counted = Counted::new(&endpoint.common.metrics.in_flight);
    let (head, body) = request.into_parts();
    let request_id = RequestId::of(&head.headers);
    let keeps_connection = head.version >= Version::HTTP_2;

    let mut trace = None;
    let outcome = endpoint.accept(&head, body, received, &request_id, &mut trace).await;
    let problem = outcome.as_ref().err().map(Rejection::code);
    let mut response = match outcome {
        Ok(Outcome::Accepted(count)) => accepted(count),
        Ok(Outcome::Challenged(answer)) => answer,
        Err(rejection) => endpoint.rejected(rejection, received.wall, &request_id),
    };
    response.headers_mut().insert(request_id::HEADER, request_id.into_value());
    if !keeps_connection && endpoint.common.stopping.is_cancelled() {
        // The sender's next request then goes to another receiver before this one closes.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(trace) = trace {
        trace.answered(response.status().as_u16(), problem);
    }
    endpoint.source.metrics.request_seconds.observe(received.instant.elapsed().as_secs_f64());
    response
}

impl Endpoint {
    /// The way of a request. It returns only when Kafka has acknowledged all events that it brought (P1). Its trace
    /// begins in `trace` as soon as its sender is authenticated.
    async fn accept(
        &self,
        head: &Parts,
        body: Body,
        received: Received,
        request_id: &RequestId,
        trace: &mut Option<RequestTrace>,
    ) -> Result<Outcome, Rejection> {
        let deadline = received.instant + self.common.request_timeout.mul_f32(WAITS);
        let authenticator = self.source.authenticator.current();
        let client = head.extensions.get::<Visit>().map(Visit::client);

        // Head and rate: the head authenticates the sender, or says that a signature of the body will. A sender known
        // by its head must keep to the rate.
        let pending = match self.check_head(&authenticator, head, client, received.wall) {
            Ok(pending) => pending,
            Err(rejection) => return Err(self.discard(head.version, body, rejection).await),
        };
        // Permit: senders that only the signature authenticates wait elsewhere.
        let by_head = pending.is_authentic();
        if by_head {
            *trace = self.trace(&head.headers, received.wall, request_id);
        }
        let mut room = if by_head { self.room(head)? } else { self.waiting_room(head, client)? };
        // Body.
        let body = self.read_body(body, &mut room, received, deadline).await?;
        // Signature; then rate and permit, if they were not checked before.
        let (Authentic { mut body, signer }, claim) =
            pending.check_body(body, received.wall).map_err(|refused| match refused {
                Refused::Unauthorized => Rejection::Unauthorized(authenticator.challenge()),
                Refused::InFlight => Rejection::InFlight,
            })?;
        if !by_head {
            *trace = self.trace(&head.headers, received.wall, request_id);
            self.let_in(&mut room, client)?;
        }
        if let Some(answer) = self.challenged(&head.headers, body.body(), &authenticator, signer)? {
            return Ok(Outcome::Challenged(answer));
        }

        // Decompress, unframe, schema, validate, produce.
        let trace = trace.as_ref();
        let record = RecordHead {
            timestamp: received.wall,
            source: &self.source.name,
            id_scope: self.source.qualifies_ids.then_some(&self.source.name),
            request_id: request_id.as_bytes(),
            traceparent: trace.map(RequestTrace::traceparent).or_else(|| request_id::traceparent(&head.headers)),
            trace,
        };
        let taken = self.take(&head.headers, &mut body, &mut room.budget, &record, deadline).await;
        match &taken {
            Ok(_) => {
                claim.keep(SystemTime::now());
                client.inspect(|client| client.set_known());
            }
            Err(rejection) => {
                body.unframe();
                self.set_aside(rejection, &head.headers, body.body(), &record, received.instant);
            }
        }
        taken.map(Outcome::Accepted)
    }

    /// Checks the head and the rate. Returns what is still to be checked with the body.
    fn check_head<'a>(
        &self,
        authenticator: &'a Authenticator,
        head: &'a Parts,
        client: Option<&Client>,
        now: SystemTime,
    ) -> Result<Pending<'a>, Rejection> {
        let certificate = authenticator.wants_certificate().then(|| self.certificate(head, client)).flatten();
        let checked = authenticator.check_head(head, certificate.as_deref(), now);
        let pending = checked.map_err(|_| Rejection::Unauthorized(authenticator.challenge()))?;
        if pending.is_authentic() {
            self.take_rate()?;
            client.filter(|_| !authenticator.is_open()).inspect(|client| client.set_known());
        }
        Ok(pending)
    }

    /// Takes an authentic body through [`Reader::read`] and the producer, and waits for the acknowledgement.
    async fn take(
        &self,
        head: &HeaderMap,
        body: &mut Buffer,
        budget: &mut BodyBudget,
        record: &RecordHead<'_>,
        deadline: Instant,
    ) -> Result<usize, Rejection> {
        let generation = self.source.generation();
        let queued = match self.reader().read(head, body, budget, deadline).await {
            Ok(events) => self.queue(events, record).await?,
            Err(unread) => self.read_again(unread, generation, (&mut *body, &mut *budget), record, deadline).await?,
        };
        // The producer has its own copy, in a queue with its own limit.
        *body = Buffer::default();
        budget.release();
        self.delivered(queued, deadline).await
    }

    /// Returns the reader for bodies of this source.
    fn reader(&self) -> Reader<'_, Self> {
        let (reading, workers) = (&self.source.reading, &self.common.workers);
        Reader { schemas: self, reading, limits: self.source.batch_limits, workers }
    }
}

impl<S: Schemas> Reader<'_, S> {
    /// Runs the middle stages, which need neither sender nor Kafka. Returns the events in `body`. Counts the memory
    /// that it uses in `budget`.
    ///
    /// # Errors
    /// [`Unread`]: what is wrong with the body, and its form if known.
    pub(crate) async fn read<'a>(
        &self,
        head: &HeaderMap,
        body: &'a mut Buffer,
        budget: &mut BodyBudget,
        deadline: Instant,
    ) -> Result<Events<'a>, Unread> {
        self.decompress(head, body, budget, deadline).await?;
        let form = unframe(head, body.body(), self.reading).map_err(Rejection::Unframe)?;
        self.read_as(form, body, budget, deadline).await.map_err(|rejection| Unread { form: Some(form), rejection })
    }

    /// Reads `body` in this form: `schema → validate`.
    ///
    /// # Errors
    /// What is wrong with the body.
    async fn read_as<'a>(
        &self,
        form: Form,
        body: &'a mut Buffer,
        budget: &mut BodyBudget,
        deadline: Instant,
    ) -> Result<Events<'a>, Rejection> {
        let writer = self.schema(form, body.body(), deadline).await?;
        self.validate((form, writer), body, budget, deadline).await
    }
}

#[cfg(test)]
mod tests;
