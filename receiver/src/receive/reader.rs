//! What reads a body, and what it gives: [`Reader::read`] is the way.

use std::sync::Arc;

use registry::wire::SchemaId;
use tokio::time::Instant;

use crate::message::Writer;
use crate::reject::Rejection;
use crate::stages::unframe::{Form, Reading};
use crate::stages::validate::{Batch, BatchLimits, Event};
use crate::workers::Workers;

/// Reads bodies of one source, by the schemas that `S` finds.
pub(crate) struct Reader<'a, S> {
    /// Where schemas come from.
    pub(crate) schemas: &'a S,
    /// What of a head may decide how its body is read.
    pub(crate) reading: &'a Reading,
    /// What one event may hold, and what a file, or a body once it is decompressed.
    pub(crate) limits: BatchLimits,
    /// Threads for what takes long.
    pub(crate) workers: &'a Workers,
}

/// A body that holds no event.
pub(crate) struct Unread {
    /// Its form, as far as it came to that.
    pub(crate) form: Option<Form>,
    /// What is wrong.
    pub(crate) rejection: Rejection,
}

impl From<Rejection> for Unread {
    fn from(rejection: Rejection) -> Self {
        Self { form: None, rejection }
    }
}

/// What a request brings.
pub(crate) enum Events<'a> {
    /// One event.
    One(Event<'a>),
    /// Those of a file.
    Many(Batch),
}

impl Events<'_> {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(batch) => batch.events().len(),
        }
    }

    /// Texts of a uuid in them that are none.
    pub(crate) fn odd_uuids(&self) -> u64 {
        match self {
            Self::One(event) => event.odd_uuids().into(),
            Self::Many(batch) => batch.odd_uuids(),
        }
    }
}

/// Where the schemas come from that requests name.
pub(crate) trait Schemas {
    /// Returns the schema by which a body is read that names none.
    ///
    /// # Errors
    /// `SchemaUnavailable` as long as it is not known.
    fn current(&self) -> Result<Arc<Writer>, Rejection>;

    /// Returns the schema of `id`.
    ///
    /// # Errors
    /// `UnknownSchema`, `UnusableSchema`, `SchemaPending` or `SchemaUnavailable`; so for each of the others.
    fn writer(&self, id: SchemaId, deadline: Instant) -> impl Future<Output = Result<Arc<Writer>, Rejection>> + Send;

    /// Returns the schema of `id` where it is in memory.
    fn known_writer(&self, id: SchemaId) -> impl Future<Output = Option<Arc<Writer>>> + Send;

    /// Returns the schema of this version of the source's subject.
    ///
    /// # Errors
    /// As [`Schemas::writer`].
    fn writer_of_version(
        &self,
        version: u32,
        deadline: Instant,
    ) -> impl Future<Output = Result<Arc<Writer>, Rejection>> + Send;

    /// Returns the schema with this fingerprint.
    ///
    /// # Errors
    /// As [`Schemas::writer`].
    fn writer_of_fingerprint(
        &self,
        fingerprint: u64,
        deadline: Instant,
    ) -> impl Future<Output = Result<Arc<Writer>, Rejection>> + Send;

    /// Returns the schema whose text stands in a file.
    ///
    /// # Errors
    /// As [`Schemas::writer`].
    fn writer_of_text(
        &self,
        text: &str,
        deadline: Instant,
    ) -> impl Future<Output = Result<Arc<Writer>, Rejection>> + Send;
}
