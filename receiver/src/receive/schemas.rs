//! Finds the writer schema of a datum, by each of the ways in which a request can name it.
//!
//! [`SourceSchemas`] finds it among the schemas that a source has in memory, or else in the registry, see
//! [`super::registry_schemas`]. For the schema in a file, see [`super::file_schemas`].

use std::sync::Arc;

use avro::Container;
use registry::wire::SchemaId;
use tokio::time::Instant;

use super::common::Common;
use super::file_schemas::FileSchemas;
use super::registry_schemas::RegistrySchemas;
use crate::message::Writer;
use crate::reject::Rejection;
use crate::source::Source;
use crate::stages::unframe::{Form, Framing};
use crate::stages::validate::BatchError;

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

/// Returns the first schema to read a body of this form with.
///
/// # Errors
/// The errors of [`Schemas::writer`]; `Container`.
pub(super) async fn of_form(
    schemas: &impl Schemas,
    form: Form,
    body: &[u8],
    deadline: Instant,
) -> Result<Arc<Writer>, Rejection> {
    match form {
        Form::Bare | Form::BareOrFramed(_) => schemas.current(),
        Form::BareOf(id) => schemas.writer(id, deadline).await,
        Form::BareOfVersion(version) => schemas.writer_of_version(version, deadline).await,
        Form::Framed(framing) => of_framing(schemas, framing, body, deadline).await,
    }
}

/// Returns the schema that `body` itself names.
///
/// # Errors
/// The errors of [`Schemas::writer`]; `Container`.
pub(super) async fn of_framing(
    schemas: &impl Schemas,
    framing: Framing,
    body: &[u8],
    deadline: Instant,
) -> Result<Arc<Writer>, Rejection> {
    match framing {
        Framing::Confluent(id) => schemas.writer(id, deadline).await,
        Framing::SingleObject(fingerprint) => schemas.writer_of_fingerprint(fingerprint, deadline).await,
        Framing::Container => {
            let container = Container::open(body).map_err(BatchError::Container)?;
            schemas.writer_of_text(container.schema(), deadline).await
        }
    }
}

/// The schemas that requests to one source may name.
///
/// Searches outside of memory are boxed futures: they take kilobytes, and the future of each request would have room for
/// them, although few requests need a search.
pub(crate) struct SourceSchemas {
    source: Arc<Source>,
    registry: Arc<RegistrySchemas>,
    files: FileSchemas,
}

impl SourceSchemas {
    /// Creates the schemas of `source`, which come from the registry of `common`.
    pub(super) fn new(source: &Arc<Source>, common: &Common) -> Self {
        let registry = Arc::new(RegistrySchemas::new(source, common));
        let files = FileSchemas::new(source.register_schemas, Arc::clone(&registry), common.workers.clone());
        Self { source: Arc::clone(source), registry, files }
    }
}

impl Schemas for SourceSchemas {
    /// Returns the latest schema of the source's subject.
    fn current(&self) -> Result<Arc<Writer>, Rejection> {
        self.source.current.load_full().ok_or(Rejection::SchemaUnavailable)
    }

    /// Returns the schema of `id`, which must be a version of one of the source's subjects. It is the current one, or
    /// comes from memory or the registry.
    async fn writer(&self, id: SchemaId, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        if let Some(current) = self.source.current.load_full().filter(|current| current.id == id) {
            return Ok(current);
        }
        if let Some(writer) = self.known_writer(id).await {
            return Ok(writer);
        }
        let writer = Box::pin(self.registry.by_id(id, deadline)).await?;
        self.source.named.insert(id, Arc::clone(&writer)).await;
        Ok(writer)
    }

    /// Returns the schema of `id` if it is known without the registry.
    async fn known_writer(&self, id: SchemaId) -> Option<Arc<Writer>> {
        let known = self.source.older.load().iter().find(|writer| writer.id == id).cloned();
        if known.is_some() {
            return known;
        }
        match self.source.current.load_full().filter(|current| current.id == id) {
            Some(current) => Some(current),
            None => self.source.named.get(&id).await,
        }
    }

    /// Returns the schema of this version of the source's subject.
    async fn writer_of_version(&self, version: u32, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        Box::pin(self.registry.by_version(version, deadline)).await
    }

    /// Returns the schema with this fingerprint in the source's subjects.
    async fn writer_of_fingerprint(&self, fingerprint: u64, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        Box::pin(self.registry.by_fingerprint(fingerprint, deadline)).await
    }

    /// Returns the schema in the source's subjects that means the same as the text of a file. If there is none,
    /// registers the text, if the source allows it.
    async fn writer_of_text(&self, text: &str, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        Box::pin(self.files.writer(text, deadline)).await
    }
}
