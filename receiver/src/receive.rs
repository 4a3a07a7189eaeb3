//! One request from its head to its answer: `receive → authenticate → unframe → validate → produce`.
//!
//! [`Endpoint::accept`] runs all stages, and [`Reader::read`] the middle ones, which `ingest_offline` and the fuzzer
//! use as well. All waits (for the body, the registry, Kafka) share one deadline, a little less than
//! `receiver.request_timeout` after the head, so that the answer is sent by then. A late body is answered with 408 (RFC
//! 9110, section 15.5.9: the server did not receive a complete request in time), all other delays with 503.
//!
//! The parts of an [`Endpoint`] are in `receive/`, a file for each. A new part is a file there and a field here.

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
use crate::source::Source;
use crate::stages::authenticate::{Authentic, Authenticator, Pending};
use crate::stages::unframe::{Form, Reading, unframe};
use crate::stages::validate::BatchLimits;
use crate::workers::Workers;

pub(crate) use admission::Admission;
pub(crate) use answer::other_method;
pub(crate) use common::Common;
pub(crate) use discards::Discards;
pub(crate) use events::Events;
pub(crate) use other_versions::ReadError;
pub(crate) use proxies::Proxies;
pub(crate) use schemas::Schemas;

use admission::take_rate;
use answer::Outcome;
use content::ContentDecoder;
use events::EventValidator;
use other_versions::OtherVersions;
use publish::Publisher;
use refused_bodies::RefusedBodies;
use request_id::RequestId;
use schemas::SourceSchemas;
use verify::posted::PostedChallenges;

mod admission;
mod answer;
mod anteroom;
mod body;
mod common;
pub(crate) mod content;
mod discards;
mod events;
mod file_schemas;
mod other_versions;
mod proxies;
mod publish;
mod refused_bodies;
mod registry_schemas;
pub(crate) mod request_id;
mod schemas;
mod traced;
pub(crate) mod verify;

/// The share of `receiver.request_timeout` that may be spent waiting. The rest is for the answer.
const WAITING_SHARE: f32 = 0.95;

/// A source with the parts that serve its requests.
pub(crate) struct Endpoint {
    source: Arc<Source>,
    common: Arc<Common>,
    challenges: PostedChallenges,
    reader: Arc<Reader<SourceSchemas>>,
    other_versions: OtherVersions,
    publisher: Arc<Publisher>,
    refused_bodies: RefusedBodies,
}

/// Reads bodies of one source with the schemas that `S` finds.
#[derive(Debug)]
pub(crate) struct Reader<S> {
    content: ContentDecoder,
    /// Which headers decide how a body is read.
    reading: Reading,
    schemas: S,
    events: EventValidator,
}

/// The time at which a request's head arrived, by both clocks.
#[derive(Clone, Copy)]
struct Received {
    wall: SystemTime,
    instant: Instant,
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
    let mut response = answer::to(outcome, &endpoint, received.wall, &request_id);
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
    /// Creates the endpoint of `source`.
    pub(crate) fn new(source: &Arc<Source>, common: &Arc<Common>) -> Self {
        let schemas = SourceSchemas::new(source, common);
        let reader = Arc::new(Reader::new(schemas, source.reading.clone(), source.batch_limits, &common.workers));
        let publisher = Arc::new(Publisher::new(source, &common.producer));
        Self {
            challenges: PostedChallenges::new(source, &common.log_budget),
            other_versions: OtherVersions::new(source, common, &reader, &publisher),
            reader,
            publisher,
            refused_bodies: RefusedBodies::new(source, &common.producer),
            source: Arc::clone(source),
            common: Arc::clone(common),
        }
    }

    /// Takes a request through all stages. Returns only when Kafka has acknowledged all events that it brought (P1).
    /// Its trace begins in `trace` as soon as its sender is authenticated.
    async fn accept(
        &self,
        head: &Parts,
        body: Body,
        received: Received,
        request_id: &RequestId,
        trace: &mut Option<RequestTrace>,
    ) -> Result<Outcome, Rejection> {
        let (source, common) = (&*self.source, &*self.common);
        let deadline = received.instant + common.request_timeout.mul_f32(WAITING_SHARE);
        let authenticator = source.authenticator.current();
        let client = head.extensions.get::<Visit>().map(Visit::client);
        let traced = || traced::begin(common.traces.as_ref(), source, &head.headers, received.wall, request_id);

        // Head and rate: the head authenticates the sender, or says that a signature of the body will. A sender known
        // by its head must keep to the rate.
        let pending = match self.check_head(&authenticator, head, client, received.wall) {
            Ok(pending) => pending,
            Err(rejection) => {
                common.discards.discard(head.version, body).await;
                return Err(rejection);
            }
        };
        // Permit: senders that only the signature authenticates wait elsewhere.
        let by_head = pending.is_authentic();
        let mut room = if by_head {
            *trace = traced();
            common.admission.room(head)?
        } else {
            let sender = common.proxies.sender(&head.headers, client);
            common.admission.waiting_room(head, &source.shared_name, sender)
        };
        // Body.
        let body = room.read_body(body, source.max_body, received.instant, deadline).await?;
        source.metrics.body_bytes.inc_by(body.body().len() as u64);
        // Signature; then rate and permit, if they were not checked before.
        let checked = pending.check_body_in_turns(body, received.wall).await;
        let (Authentic { mut body, signer }, claim) =
            checked.map_err(|refused| Rejection::unauthentic(refused, &authenticator))?;
        if !by_head {
            *trace = traced();
            client.inspect(|client| client.set_known());
            common.admission.let_in(&mut room, source.rate.as_ref())?;
        }
        if let Some(answer) = self.challenges.answer(&head.headers, body.body(), &authenticator, signer)? {
            return Ok(Outcome::Challenged(answer));
        }

        // Decompress, unframe, schema, validate, produce.
        let record = self.publisher.record(&head.headers, received.wall, request_id, trace.as_ref());
        let published = self.read_and_publish(&head.headers, &mut body, &mut room.budget, &record, deadline).await;
        match &published {
            Ok(_) => {
                claim.keep(SystemTime::now());
                client.inspect(|client| client.set_known());
            }
            Err(rejection) => {
                self.refused_bodies.handle(rejection, &head.headers, &mut body, &record, received.instant);
            }
        }
        published.map(Outcome::Accepted)
    }

    /// Checks the head and the rate. Returns what is still to be checked with the body.
    fn check_head<'a>(
        &self,
        authenticator: &'a Authenticator,
        head: &'a Parts,
        client: Option<&Client>,
        now: SystemTime,
    ) -> Result<Pending<'a>, Rejection> {
        let wanted = authenticator.wants_certificate();
        let certificate = wanted.then(|| self.common.proxies.certificate(&head.headers, client)).flatten();
        let checked = authenticator.check_head(head, certificate.as_deref(), now);
        let pending = checked.map_err(|refused| Rejection::unauthentic(refused, authenticator))?;
        if pending.is_authentic() {
            take_rate(self.source.rate.as_ref())?;
            client.filter(|_| !authenticator.is_open()).inspect(|client| client.set_known());
        }
        Ok(pending)
    }

    /// Takes an authentic body through [`Reader::read`] and the producer, and waits for the acknowledgement.
    async fn read_and_publish(
        &self,
        head: &HeaderMap,
        body: &mut Buffer,
        budget: &mut BodyBudget,
        record: &RecordHead<'_>,
        deadline: Instant,
    ) -> Result<usize, Rejection> {
        let generation = self.source.generation();
        let queued = match self.reader.read(head, body, budget, deadline).await {
            Ok(events) => self.publisher.queue(events, record).await?,
            Err(error) => {
                let held = (&mut *body, &mut *budget);
                // Boxed, since it is rare and would make the future of each request twice as large.
                Box::pin(self.other_versions.queue(error, generation, held, record, deadline)).await?
            }
        };
        // The producer has its own copy, in a queue with its own limit.
        *body = Buffer::default();
        budget.release();
        self.publisher.delivered(queued, deadline).await
    }
}

impl<S: Schemas> Reader<S> {
    /// Creates a reader with the schemas that `schemas` finds.
    pub(crate) fn new(schemas: S, reading: Reading, limits: BatchLimits, workers: &Workers) -> Self {
        let content = ContentDecoder::new(&reading, limits.bytes, workers.clone());
        Self { content, reading, schemas, events: EventValidator::new(limits, workers.clone()) }
    }

    /// Runs the middle stages, which need neither sender nor Kafka. Returns the events in `body`. Counts the memory
    /// that it uses in `budget`.
    ///
    /// # Errors
    /// [`ReadError`]: what is wrong with the body, and its form if known.
    pub(crate) async fn read<'a>(
        &self,
        head: &HeaderMap,
        body: &'a mut Buffer,
        budget: &mut BodyBudget,
        deadline: Instant,
    ) -> Result<Events<'a>, ReadError> {
        self.content.decompress(head, body, budget, deadline).await?;
        let form = unframe(head, body.body(), &self.reading).map_err(Rejection::Unframe)?;
        self.read_as(form, body, budget, deadline).await.map_err(|rejection| ReadError { form: Some(form), rejection })
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
        let writer = schemas::of_form(&self.schemas, form, body.body(), deadline).await?;
        self.events.validate(&self.schemas, (form, writer), body, budget, deadline).await
    }
}

#[cfg(test)]
mod tests;
