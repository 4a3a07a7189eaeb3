//! Finds the writer schema of a datum, by each of the ways in which a request can name it.
//!
//! The schema must be a version of one of the source's subjects, because a registry also holds schemas that have
//! nothing to do with this source.
//!
//! If the registry says for a while that it has no such schema, the sender is at fault. Any other failure of the
//! registry is a failure of the receiver. The two are never mixed up.

use std::sync::Arc;

use registry::wire::SchemaId;
use registry::{RegisteredSchema, RegistryError};
use tokio::time::{Instant, timeout_at};

use super::Endpoint;
use super::events::opened;
use super::reader::{Reader, Schemas};
use crate::message::Writer;
use crate::reject::{Rejection, SchemaName};
use crate::stages::unframe::{Form, Framing};

/// The reason for a schema that is not usable Avro.
pub(super) const NOT_AVRO: &str = "it is not an Avro schema that can be used";
/// The reason for a schema whose events could not be told apart.
pub(super) const NO_KEY: &str = "it lacks the field that identifies an event";
const AMBIGUOUS: &str = "several versions of the subject have it and mean different values (logical types, precision \
 or scale): name one by the header X-Schema-Id or X-Schema-Version";

impl<S: Schemas> Reader<'_, S> {
    /// Returns the first schema to read a body of this form with.
    ///
    /// # Errors
    /// The errors of [`Schemas::writer`]; `Container`.
    pub(super) async fn schema(&self, form: Form, body: &[u8], deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        match form {
            Form::Bare | Form::BareOrFramed(_) => self.schemas.current(),
            Form::BareOf(id) => self.schemas.writer(id, deadline).await,
            Form::BareOfVersion(version) => self.schemas.writer_of_version(version, deadline).await,
            Form::Framed(framing) => self.framed_schema(framing, body, deadline).await,
        }
    }

    /// Returns the schema that `body` itself names.
    ///
    /// # Errors
    /// The errors of [`Schemas::writer`]; `Container`.
    pub(super) async fn framed_schema(
        &self,
        framing: Framing,
        body: &[u8],
        deadline: Instant,
    ) -> Result<Arc<Writer>, Rejection> {
        match framing {
            Framing::Confluent(id) => self.schemas.writer(id, deadline).await,
            Framing::SingleObject(fingerprint) => self.schemas.writer_of_fingerprint(fingerprint, deadline).await,
            Framing::Container => self.schemas.writer_of_text(opened(body)?.schema(), deadline).await,
        }
    }
}

impl Schemas for Endpoint {
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
        let name = SchemaName::Id(id);
        let asked = self.common.registry.by_id_of(id, &self.source.subjects);
        let schema = answered(timeout_at(deadline, asked).await, &name)?;
        let writer = self.compiled(RegisteredSchema { id, schema }, &name)?;
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
        let asked = self.common.registry.by_version(&self.source.subject, version);
        let name = SchemaName::Version(version);
        let found = answered(timeout_at(deadline, asked).await, &name)?;
        self.compiled(found, &name)
    }

    /// Returns the schema with this fingerprint in the source's subjects.
    async fn writer_of_fingerprint(&self, fingerprint: u64, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        self.in_subjects(SchemaName::Fingerprint(fingerprint), deadline, |subject| {
            self.common.registry.by_fingerprint(subject, fingerprint)
        })
        .await
    }

    /// Returns the schema in the source's subjects that means the same as the text of a file. If there is none,
    /// registers the text, if the source allows it.
    async fn writer_of_text(&self, text: &str, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        self.writer_of_file(text, deadline).await
    }
}

impl Endpoint {
    /// Returns the schema `name` that `ask` finds in the source's subjects. If several subjects have one, all must mean
    /// the same.
    pub(super) async fn in_subjects<'s, A>(
        &'s self,
        name: SchemaName,
        deadline: Instant,
        ask: impl Fn(&'s str) -> A,
    ) -> Result<Arc<Writer>, Rejection>
    where
        A: Future<Output = Result<RegisteredSchema, RegistryError>>,
    {
        let mut found: Option<RegisteredSchema> = None;
        for subject in &self.source.subjects {
            let other = match answered(timeout_at(deadline, ask(subject)).await, &name) {
                Ok(other) => other,
                // Another subject may have it.
                Err(Rejection::UnknownSchema(_)) => continue,
                Err(rejection) => return Err(rejection),
            };
            if found.as_ref().is_some_and(|first| first.schema.meaning() != other.schema.meaning()) {
                return Err(Rejection::UnusableSchema(name, AMBIGUOUS));
            }
            found.get_or_insert(other);
        }
        let found = found.ok_or(Rejection::UnknownSchema(name))?;
        match self.source.current.load_full() {
            Some(current) if current.id == found.id => Ok(current),
            _ => self.compiled(found, &name),
        }
    }

    pub(super) fn compiled(&self, found: RegisteredSchema, name: &SchemaName) -> Result<Arc<Writer>, Rejection> {
        match self.source.writer(found.id, found.schema) {
            Ok(writer) => Ok(Arc::new(writer)),
            Err(_) => Err(Rejection::UnusableSchema(*name, NO_KEY)),
        }
    }
}

/// Returns the meaning of the registry's answer for the request that needs the schema `name`.
pub(super) fn answered<T, E>(answer: Result<Result<T, RegistryError>, E>, name: &SchemaName) -> Result<T, Rejection> {
    match answer {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(RegistryError::NotYet { .. })) => Err(Rejection::SchemaPending(*name)),
        Ok(Err(RegistryError::NotFound { .. })) => Err(Rejection::UnknownSchema(*name)),
        Ok(Err(RegistryError::Unusable { .. })) => Err(Rejection::UnusableSchema(*name, NOT_AVRO)),
        Ok(Err(RegistryError::Ambiguous { .. })) => Err(Rejection::UnusableSchema(*name, AMBIGUOUS)),
        Ok(Err(RegistryError::Unavailable { .. })) | Err(_) => Err(Rejection::SchemaUnavailable),
    }
}
