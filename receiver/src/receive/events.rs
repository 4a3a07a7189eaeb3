//! From a body in its form to the events in it: `unframe → validate`, with the schema that the form names.

use avro::Container;
use registry::wire::{FRAME_LEN, SchemaId};
use tokio::time::Instant;

use super::reader::Reader;
use super::schemas::Schemas;
use crate::body_budget::BodyBudget;
use crate::message::{Buffer, Writer};
use crate::reject::Rejection;
use crate::stages::unframe::{Form, Framing, SINGLE_OBJECT_LEN};
use crate::stages::validate::{Batch, BatchError, Event, Invalid, fits, validate, validate_container};

/// A file up to this length, if it is not compressed, is validated where the request is served.
const SHORT: usize = 64 * 1024;

/// What a request brings.
pub(crate) enum Events<'a> {
    /// One event.
    One(Event<'a>),
    /// Those of a file.
    Many(Batch),
}

impl Events<'_> {
    /// Texts of a uuid in them that are none.
    pub(crate) fn odd_uuids(&self) -> u64 {
        match self {
            Self::One(event) => event.odd_uuids().into(),
            Self::Many(batch) => batch.odd_uuids(),
        }
    }
}

impl<S: Schemas> Reader<'_, S> {
    /// Reads the body in its form; see [`crate::stages::unframe`] for the rule where the form is open.
    pub(crate) async fn events<'a>(
        &self,
        form: Form,
        body: &'a mut Buffer,
        budget: &mut BodyBudget,
        deadline: Instant,
    ) -> Result<Events<'a>, Rejection> {
        match form {
            Form::Bare => self.bare(body, &*self.schemas.current()?),
            Form::BareOf(id) => self.bare(body, &*self.schemas.writer(id, deadline).await?),
            Form::BareOfVersion(version) => self.bare(body, &*self.schemas.writer_of_version(version, deadline).await?),
            Form::Framed(framing) => self.framed(framing, body, None, budget, deadline).await,
            Form::BareOrFramed(framing @ Framing::Confluent(id)) => {
                let writer = self.schemas.current()?;
                body.frame(0, writer.id);
                let body = &*body;
                match validate(body.with_frame(), &writer, self.limits.event) {
                    Ok(_) if self.is_framed(framing, body.body(), &writer).await => Err(Rejection::Ambiguous(framing)),
                    Ok(event) => Ok(Events::One(event)),
                    Err(bare) => self.confluent(id, body, Some(bare), deadline).await,
                }
            }
            Form::BareOrFramed(framing) => {
                let writer = self.schemas.current()?;
                match fits(body.body(), &writer, self.limits.event) {
                    Ok(()) if self.is_framed(framing, body.body(), &writer).await => Err(Rejection::Ambiguous(framing)),
                    Ok(()) => self.bare(body, &writer),
                    Err(bare) => self.framed(framing, body, Some(bare), budget, deadline).await,
                }
            }
        }
    }

    pub(super) fn bare<'a>(&self, body: &'a mut Buffer, writer: &Writer) -> Result<Events<'a>, Rejection> {
        body.frame(0, writer.id);
        one(validate(body.with_frame(), writer, self.limits.event), None)
    }

    /// Reads `body` in the form `framing`; `bare` is why it is no bare datum, where it might have been one.
    async fn framed<'a>(
        &self,
        framing: Framing,
        body: &'a mut Buffer,
        bare: Option<Invalid>,
        budget: &mut BodyBudget,
        deadline: Instant,
    ) -> Result<Events<'a>, Rejection> {
        match framing {
            Framing::Confluent(id) => self.confluent(id, body, bare, deadline).await,
            Framing::SingleObject(fingerprint) => {
                let writer = self.schemas.writer_of_fingerprint(fingerprint, deadline).await?;
                body.frame(SINGLE_OBJECT_LEN, writer.id);
                one(validate(body.with_frame(), &writer, self.limits.event), bare)
            }
            Framing::Container => self.container(body, budget, deadline).await.map(Events::Many),
        }
    }

    /// Reads `body` in the Confluent wire format.
    async fn confluent<'a>(
        &self,
        id: SchemaId,
        body: &'a Buffer,
        bare: Option<Invalid>,
        deadline: Instant,
    ) -> Result<Events<'a>, Rejection> {
        let bare = match (self.schemas.writer(id, deadline).await, bare) {
            (Ok(writer), bare) => return one(validate(body.body(), &writer, self.limits.event), bare),
            (Err(other), None) => return Err(other),
            // No frame, then: four bytes of a datum that happened to stand where an id would.
            (Err(Rejection::UnknownSchema(_) | Rejection::UnusableSchema(..)), Some(bare)) => bare,
            (Err(other), Some(_)) => return Err(other),
        };
        Err(Rejection::Invalid { as_likely: Box::new(bare), as_framed: None })
    }

    /// Returns whether `body`, which is a bare datum of `current`, is valid in the form `framing` too, as far as is
    /// known without asking the registry.
    async fn is_framed(&self, framing: Framing, body: &[u8], current: &Writer) -> bool {
        let limits = self.limits.event;
        match framing {
            Framing::Confluent(id) => {
                let Some(writer) = self.schemas.known_writer(id).await else { return false };
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

    /// Reads `body` as an object container file.
    async fn container(
        &self,
        body: &mut Buffer,
        budget: &mut BodyBudget,
        deadline: Instant,
    ) -> Result<Batch, Rejection> {
        let failed = |error| Rejection::Container(BatchError::Container(error));
        let container = Container::open(body.body()).map_err(failed)?;
        let writer = self.schemas.writer_of_text(container.schema(), deadline).await?;
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

/// Returns the one event of a request, or why it is none: in the form it was read in, and as a bare datum where it
/// might have been one.
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
