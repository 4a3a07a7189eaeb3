//! The reader of bodies and its results. It begins at [`Reader::read`].

use std::sync::Arc;

use registry::wire::SchemaId;
use tokio::time::Instant;

use crate::message::Writer;
use crate::reject::Rejection;
use crate::stages::unframe::{Form, Reading};
use crate::stages::validate::{Batch, BatchLimits, Event};
use crate::workers::Workers;

/// Reads bodies of one source with the schemas that `S` finds.
pub(crate) struct Reader<'a, S> {
    /// Finds the schemas.
    pub(crate) schemas: &'a S,
    /// Which headers decide how a body is read.
    pub(crate) reading: &'a Reading,
    /// The limits of an event, of a file, and of a decompressed body.
    pub(crate) limits: BatchLimits,
    /// Threads for long work.
    pub(crate) workers: &'a Workers,
}

/// A body without a valid event.
pub(crate) struct Unread {
    /// Its form, if it was recognised.
    pub(crate) form: Option<Form>,
    /// What is wrong.
    pub(crate) rejection: Rejection,
}

impl From<Rejection> for Unread {
    fn from(rejection: Rejection) -> Self {
        Self { form: None, rejection }
    }
}

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

/// Finds the schemas that requests name.
pub(crate) trait Schemas {
    /// Returns the schema for a body that names none.
    ///
    /// # Errors
    /// `SchemaUnavailable` while the schema is unknown.
    fn current(&self) -> Result<Arc<Writer>, Rejection>;

    /// Returns the schema of `id`.
    ///
    /// # Errors
    /// `UnknownSchema`, `UnusableSchema`, `SchemaPending` or `SchemaUnavailable`, as in all methods below.
    fn writer(&self, id: SchemaId, deadline: Instant) -> impl Future<Output = Result<Arc<Writer>, Rejection>> + Send;

    /// Returns the schema of `id` if it is in memory.
    fn known_writer(&self, id: SchemaId) -> impl Future<Output = Option<Arc<Writer>>> + Send;

    /// Returns the schema of this version of the source's subject.
    ///
    /// # Errors
    /// See [`Schemas::writer`].
    fn writer_of_version(
        &self,
        version: u32,
        deadline: Instant,
    ) -> impl Future<Output = Result<Arc<Writer>, Rejection>> + Send;

    /// Returns the schema with this fingerprint.
    ///
    /// # Errors
    /// See [`Schemas::writer`].
    fn writer_of_fingerprint(
        &self,
        fingerprint: u64,
        deadline: Instant,
    ) -> impl Future<Output = Result<Arc<Writer>, Rejection>> + Send;

    /// Returns the schema with this text, which a file holds.
    ///
    /// # Errors
    /// See [`Schemas::writer`].
    fn writer_of_text(
        &self,
        text: &str,
        deadline: Instant,
    ) -> impl Future<Output = Result<Arc<Writer>, Rejection>> + Send;
}
