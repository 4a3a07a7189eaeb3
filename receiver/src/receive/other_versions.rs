//! Reads a bare datum again if it does not fit the latest schema of its source. During a rollout, some senders write
//! the version before, and the first new ones may write a version that this receiver has not seen.
//!
//! 1. If the datum fits one of the few versions before the latest, to its last byte, it is framed with that version and
//!    counted. If it fits several with the same meaning, the newest one is used. If their meanings differ, the datum is
//!    refused rather than guessed at.
//! 2. If it fits none, the receiver asks the registry for newer versions, see [`crate::source::early`], and reads the
//!    datum once more with those.

use std::sync::Arc;

use avro::Limits;
use registry::SchemaRegistry;
use tokio::time::Instant;

use super::Reader;
use super::common::Common;
use super::publish::{Publisher, Queued};
use super::schemas::SourceSchemas;
use crate::body_budget::BodyBudget;
use crate::message::{Buffer, RecordHead, Writer};
use crate::reject::Rejection;
use crate::source::{Source, early};
use crate::stages::unframe::Form;
use crate::stages::validate::fits;
use crate::workers::Workers;

/// A longer body is read on a thread for long work.
const SHORT: usize = 64 * 1024;

/// Says why a body holds no valid event.
pub(crate) struct ReadError {
    /// The form of the body, if it was recognised.
    pub(crate) form: Option<Form>,
    /// What is wrong.
    pub(crate) rejection: Rejection,
}

impl From<Rejection> for ReadError {
    fn from(rejection: Rejection) -> Self {
        Self { form: None, rejection }
    }
}

/// Reads the bodies of one source with other versions of its schema.
pub(super) struct OtherVersions {
    source: Arc<Source>,
    registry: SchemaRegistry,
    workers: Workers,
    reader: Arc<Reader<SourceSchemas>>,
    publisher: Arc<Publisher>,
}

impl OtherVersions {
    /// Creates the part for `source`. It reads bodies as the `reader` does, and takes events to the `publisher`.
    pub(super) fn new(
        source: &Arc<Source>,
        common: &Common,
        reader: &Arc<Reader<SourceSchemas>>,
        publisher: &Arc<Publisher>,
    ) -> Self {
        Self {
            source: Arc::clone(source),
            registry: common.registry.clone(),
            workers: common.workers.clone(),
            reader: Arc::clone(reader),
            publisher: Arc::clone(publisher),
        }
    }

    /// Reads a `body` that the schemas of `generation` refused with other versions than the latest, and queues its
    /// event for Kafka. Returns what to wait for.
    ///
    /// # Errors
    /// The first error if nothing else fits, and the errors of [`Publisher::queue`].
    pub(super) async fn queue(
        &self,
        ReadError { form, rejection: refused }: ReadError,
        generation: u64,
        (body, budget): (&mut Buffer, &mut BodyBudget),
        record: &RecordHead<'_>,
        deadline: Instant,
    ) -> Result<Queued, Rejection> {
        let Some(form) = form.filter(|form| may_be_another_version(*form, &refused)) else { return Err(refused) };
        if let Some(writer) = self.older(body, budget, deadline).await? {
            return self.queue_older(&writer, body, record).await;
        }
        if self.source.generation() == generation {
            early::look(&self.source, &self.registry, Instant::now(), deadline).await;
        }
        if self.source.generation() == generation {
            return Err(refused);
        }
        let refused = match self.reader.read_as(form, body, budget, deadline).await {
            Ok(events) => return self.publisher.queue(events, record).await,
            Err(refused) => refused,
        };
        match self.older(body, budget, deadline).await? {
            Some(writer) => self.queue_older(&writer, body, record).await,
            None => Err(refused),
        }
    }

    async fn queue_older(
        &self,
        writer: &Writer,
        body: &mut Buffer,
        record: &RecordHead<'_>,
    ) -> Result<Queued, Rejection> {
        let events = self.reader.events.bare(body, writer)?;
        Ok(self.publisher.queue(events, record).await?.of_older_version())
    }

    /// Returns the older version that `body` is a datum of, if any.
    ///
    /// # Errors
    /// `AmbiguousVersion` if it fits several with different meanings; the errors of [`Workers::run`].
    async fn older(
        &self,
        body: &mut Buffer,
        budget: &mut BodyBudget,
        deadline: Instant,
    ) -> Result<Option<Arc<Writer>>, Rejection> {
        body.unframe();
        let (older, limits) = (self.source.older.load_full(), self.source.limits);
        if older.is_empty() {
            return Ok(None);
        }
        if body.body().len() <= SHORT {
            return choose(body.body(), &older, limits);
        }
        // The thread counts the bytes of the body as long as it holds them, even if the request is abandoned.
        let (buffer, taken) = (std::mem::take(body), budget.take());
        let work = move || (choose(buffer.body(), &older, limits), buffer, taken);
        let (chosen, buffer, taken) = self.workers.run(deadline, work).await?;
        (*body, *budget) = (buffer, taken);
        chosen
    }
}

/// Returns whether a body of this form, refused for this reason, may be a bare datum of a version other than the
/// latest.
fn may_be_another_version(form: Form, refused: &Rejection) -> bool {
    match form {
        Form::Bare => matches!(refused, Rejection::Invalid { .. }),
        Form::BareOrFramed(_) => matches!(
            refused,
            Rejection::Invalid { .. }
                | Rejection::Container(_)
                | Rejection::UnknownSchema(_)
                | Rejection::UnusableSchema(..)
                | Rejection::SchemaPending(_)
                | Rejection::SchemaUnavailable
        ),
        Form::BareOf(_) | Form::BareOfVersion(_) | Form::Framed(_) => false,
    }
}

/// Returns the newest of `writers` that `datum` fits to its last byte. `writers` begins with the newest.
///
/// # Errors
/// `AmbiguousVersion` if `datum` fits several of them, and readers would get different values.
fn choose(datum: &[u8], writers: &[Arc<Writer>], limits: Limits) -> Result<Option<Arc<Writer>>, Rejection> {
    let mut fitting = writers.iter().filter(|writer| fits(datum, writer, limits).is_ok());
    let Some(newest) = fitting.next() else { return Ok(None) };
    let others: Vec<&Arc<Writer>> = fitting.collect();
    if others.is_empty() {
        return Ok(Some(Arc::clone(newest)));
    }
    let meaning = meaning(datum, newest, limits);
    if others.iter().all(|other| self::meaning(datum, other, limits) == meaning) {
        return Ok(Some(Arc::clone(newest)));
    }
    Err(Rejection::AmbiguousVersion(std::iter::once(newest).chain(others).map(|writer| writer.id).collect()))
}

/// Returns a hash of the values that a reader gets from `datum` with the schema of `writer`, or `None` if it does not
/// fit.
fn meaning(datum: &[u8], writer: &Writer, limits: Limits) -> Option<[u8; 32]> {
    avro::digest_members(&writer.schema, datum, limits).ok()
}

#[cfg(test)]
mod tests;
