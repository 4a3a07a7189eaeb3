//! Turns a body in a known form into its events: `unframe → validate`, with the schema that the form names.

use std::sync::Arc;

use avro::{Container, Limits};
use registry::wire::{FRAME_LEN, SchemaId};
use tokio::time::Instant;

use super::schemas::{self, Schemas};
use crate::body_budget::BodyBudget;
use crate::message::{Buffer, Writer};
use crate::reject::Rejection;
use crate::stages::unframe::{Form, Framing, SINGLE_OBJECT_LEN};
use crate::stages::validate::{Batch, BatchError, BatchLimits, Event, Invalid, fits, validate, validate_container};
use crate::workers::Workers;

/// An uncompressed file up to this length is validated on the thread that serves the request.
const SHORT: usize = 64 * 1024;

/// The events of a request.
pub(crate) enum Events<'a> {
    /// One event.
    One(Event<'a>),
    /// The events of a file.
    Many(Batch),
}

impl Events<'_> {
    /// Returns the number of events.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(batch) => batch.events().len(),
        }
    }

    /// Returns the number of texts in `uuid` fields that are not a UUID.
    pub(crate) fn odd_uuids(&self) -> u64 {
        match self {
            Self::One(event) => event.odd_uuids().into(),
            Self::Many(batch) => batch.odd_uuids(),
        }
    }
}

/// Validates the bodies of one source.
#[derive(Debug)]
pub(super) struct EventValidator {
    limits: BatchLimits,
    workers: Workers,
}

impl EventValidator {
    /// Creates a validator of events and files within `limits`.
    pub(super) fn new(limits: BatchLimits, workers: Workers) -> Self {
        Self { limits, workers }
    }

    /// Validates `body` in this form with `writer`, its most likely schema. [`crate::stages::unframe`] has the rule for
    /// bodies of uncertain form, whose other schema is one of `schemas`.
    ///
    /// # Errors
    /// What is wrong with the body.
    pub(super) async fn validate<'a>(
        &self,
        schemas: &impl Schemas,
        (form, writer): (Form, Arc<Writer>),
        body: &'a mut Buffer,
        budget: &mut BodyBudget,
        deadline: Instant,
    ) -> Result<Events<'a>, Rejection> {
        let limits = self.limits.event;
        let framing = match form {
            Form::Bare | Form::BareOf(_) | Form::BareOfVersion(_) => return self.bare(body, &writer),
            Form::Framed(framing) => return self.framed((framing, writer), body, None, budget, deadline).await,
            Form::BareOrFramed(Framing::Confluent(id)) => {
                return bare_or_confluent(schemas, id, body, (&*writer, limits), deadline).await;
            }
            Form::BareOrFramed(framing) => framing,
        };
        let bare = match fits(body.body(), &writer, limits) {
            Ok(()) if is_framed(schemas, framing, body.body(), (&*writer, limits)).await => {
                return Err(Rejection::Ambiguous(framing));
            }
            Ok(()) => return self.bare(body, &writer),
            Err(bare) => bare,
        };
        let named = schemas::of_framing(schemas, framing, body.body(), deadline).await?;
        self.framed((framing, named), body, Some(bare), budget, deadline).await
    }

    /// Validates `body` as a bare datum of `writer`.
    ///
    /// # Errors
    /// `Invalid`.
    pub(super) fn bare<'a>(&self, body: &'a mut Buffer, writer: &Writer) -> Result<Events<'a>, Rejection> {
        body.frame(0, writer.id);
        one(validate(body.with_frame(), writer, self.limits.event), None)
    }

    /// Reads `body` in the form `framing`. `bare` says why it is not a bare datum, if it could have been one.
    async fn framed<'a>(
        &self,
        (framing, writer): (Framing, Arc<Writer>),
        body: &'a mut Buffer,
        bare: Option<Invalid>,
        budget: &mut BodyBudget,
        deadline: Instant,
    ) -> Result<Events<'a>, Rejection> {
        match framing {
            Framing::Confluent(_) => one(validate(body.body(), &writer, self.limits.event), bare),
            Framing::SingleObject(_) => {
                body.frame(SINGLE_OBJECT_LEN, writer.id);
                one(validate(body.with_frame(), &writer, self.limits.event), bare)
            }
            Framing::Container => self.container(writer, body, budget, deadline).await.map(Events::Many),
        }
    }

    /// Reads `body` as an object container file.
    async fn container(
        &self,
        writer: Arc<Writer>,
        body: &mut Buffer,
        budget: &mut BodyBudget,
        deadline: Instant,
    ) -> Result<Batch, Rejection> {
        let container = Container::open(body.body()).map_err(BatchError::Container)?;
        let limits = self.limits;
        if container.codec() == "null" && body.body().len() <= SHORT {
            return Ok(validate_container(container, &writer, &limits, budget)?);
        }
        let (buffer, mut taken) = (std::mem::take(body), budget.take());
        let work = move || {
            let container = Container::open(buffer.body()).map_err(BatchError::Container);
            let batch = container.and_then(|container| validate_container(container, &writer, &limits, &mut taken));
            (batch, buffer, taken)
        };
        let (batch, buffer, taken) = self.workers.run(deadline, work).await?;
        (*body, *budget) = (buffer, taken);
        Ok(batch?)
    }
}

/// Reads `body` as a bare datum of `writer`, or else in the Confluent wire format with the schema of `id`. It usually
/// needs one pass, because neither changes the body.
async fn bare_or_confluent<'a>(
    schemas: &impl Schemas,
    id: SchemaId,
    body: &'a mut Buffer,
    (writer, limits): (&Writer, Limits),
    deadline: Instant,
) -> Result<Events<'a>, Rejection> {
    body.frame(0, writer.id);
    let (framing, body) = (Framing::Confluent(id), &*body);
    let bare = match validate(body.with_frame(), writer, limits) {
        Ok(_) if is_framed(schemas, framing, body.body(), (writer, limits)).await => {
            return Err(Rejection::Ambiguous(framing));
        }
        Ok(event) => return Ok(Events::One(event)),
        Err(bare) => bare,
    };
    match schemas.writer(id, deadline).await {
        Ok(named) => one(validate(body.body(), &named, limits), Some(bare)),
        // The body has no frame: four bytes of the datum only looked like an id.
        Err(Rejection::UnknownSchema(_) | Rejection::UnusableSchema(..)) => {
            Err(Rejection::Invalid { as_likely: Box::new(bare), as_framed: None })
        }
        Err(other) => Err(other),
    }
}

/// Returns whether `body`, a bare datum of `current`, is valid in the form `framing` too. Does not ask the registry.
async fn is_framed(
    schemas: &impl Schemas,
    framing: Framing,
    body: &[u8],
    (current, limits): (&Writer, Limits),
) -> bool {
    match framing {
        Framing::Confluent(id) => {
            let Some(writer) = schemas.known_writer(id).await else { return false };
            let datum = body.get(FRAME_LEN..).unwrap_or_default();
            fits(datum, &writer, limits).is_ok()
        }
        Framing::SingleObject(fingerprint) => {
            let datum = body.get(SINGLE_OBJECT_LEN..).unwrap_or_default();
            current.schema.fingerprint() == fingerprint && fits(datum, current, limits).is_ok()
        }
        Framing::Container => Container::open(body).is_ok(),
    }
}

/// Returns the single event of a request. On failure, returns the error in the form that was read, and the error as a
/// bare datum if that was possible.
fn one(event: Result<Event<'_>, Invalid>, bare: Option<Invalid>) -> Result<Events<'_>, Rejection> {
    let invalid = match event {
        Ok(event) => return Ok(Events::One(event)),
        Err(invalid) => Box::new(invalid),
    };
    Err(match bare.map(Box::new) {
        Some(bare) => Rejection::Invalid { as_likely: bare, as_framed: Some(invalid) },
        None => Rejection::Invalid { as_likely: invalid, as_framed: None },
    })
}
