//! Reads a bare datum again that does not fit the latest schema of its source: while senders are rolled out, some write
//! the version before, and the first of them may write a version that this receiver has not seen.
//!
//! 1. It fits one of the few versions before the latest, to its last byte: it is framed with that one, and counted.
//!    Where it fits several of them and means the same in each, the newest is taken; where it means different things,
//!    it is refused rather than guessed at.
//! 2. It fits none: the registry is asked for newer versions, see [`crate::source::early`], and it is read once more by
//!    those.

use std::sync::Arc;

use avro::Limits;
use tokio::time::Instant;

use super::reader::Unread;
use super::{Endpoint, Queued};
use crate::body_budget::BodyBudget;
use crate::message::{Buffer, RecordHead, Writer};
use crate::reject::Rejection;
use crate::stages::unframe::Form;
use crate::stages::validate::fits;

/// A longer body is read on a thread for long work.
const SHORT: usize = 64 * 1024;

impl Endpoint {
    /// Reads `body`, which was refused by the schemas of `generation`, by other versions than the latest, and hands
    /// its event to Kafka; returns what to wait for.
    ///
    /// # Errors
    /// What was wrong at first, where nothing else fits; and those of [`Endpoint::queue`].
    pub(super) async fn read_again(
        &self,
        Unread { form, rejection: refused }: Unread,
        generation: u64,
        (body, budget): (&mut Buffer, &mut BodyBudget),
        record: &RecordHead<'_>,
        deadline: Instant,
    ) -> Result<Queued, Rejection> {
        let Some(form) = form.filter(|form| may_be_another_version(*form, &refused)) else { return Err(refused) };
        if let Some(writer) = self.older_writer(body, budget, deadline).await? {
            return self.queue_older(&writer, body, record).await;
        }
        if self.source.generation() == generation {
            self.source.look_early(&self.common.registry, Instant::now(), deadline).await;
        }
        if self.source.generation() == generation {
            return Err(refused);
        }
        let refused = match self.reader().read_as(form, body, budget, deadline).await {
            Ok(events) => return self.queue(events, record).await,
            Err(refused) => refused,
        };
        match self.older_writer(body, budget, deadline).await? {
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
        let events = self.reader().bare(body, writer)?;
        Ok(Queued { is_older: true, ..self.queue(events, record).await? })
    }

    /// Returns the older version that `body` is a datum of.
    ///
    /// # Errors
    /// `AmbiguousVersion` where there are several that it means different things in; those of
    /// [`crate::workers::Workers::run`].
    async fn older_writer(
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
        // What the body takes is counted as long as the thread has it, also when its request is given up meanwhile.
        let (buffer, taken) = (std::mem::take(body), budget.take());
        let work = move || (choose(buffer.body(), &older, limits), buffer, taken);
        let (chosen, buffer, taken) = self.common.workers.run(deadline, work).await?;
        (*body, *budget) = (buffer, taken);
        chosen
    }
}

/// Returns whether a body of this form, which was `refused` so, may be a bare datum of another version than the latest.
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

/// Returns the newest of `writers`, which stand in that order, that `datum` fits to its last byte.
///
/// # Errors
/// `AmbiguousVersion` where it fits several, and a reader would get something else by one of them.
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

/// Returns a hash of what a reader gets of `datum` by the schema of `writer`; none where it is not a datum of it.
fn meaning(datum: &[u8], writer: &Writer, limits: Limits) -> Option<[u8; 32]> {
    avro::digest_members(&writer.schema, datum, limits).ok()
}

#[cfg(test)]
mod tests;
