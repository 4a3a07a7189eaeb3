//! The schema that a datum was written with, by each of the ways in which a request can name it.
//!
//! Each must be a version of one of the source's subjects: a registry has the schemas of others too, who are no senders
//! here.
//!
//! An answer "not there" of the registry is the sender's error, once it has been so for a while; any other failure of
//! it is ours. Those are never mixed up.

use std::sync::Arc;

use avro::Schema;
use registry::wire::SchemaId;
use registry::{RegisteredSchema, RegistryError};
use tokio::time::{Instant, timeout_at};

use super::Endpoint;
use crate::message::Writer;
use crate::reject::{Rejection, SchemaName};

const NOT_AVRO: &str = "it is not an Avro schema that can be used";
const NO_KEY: &str = "it lacks the field that identifies an event";
const AMBIGUOUS: &str = "several versions of the subject have it and mean different values (logical types, precision \
 or scale): name one by the header X-Schema-Id or X-Schema-Version";
const TAKEN_FOR_ANOTHER: &str =
    "the schema registry takes it for another version, by which readers get other values: register it by hand";
const REFUSED: &str = "the schema registry refuses it, as one that is not compatible does";

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

impl Schemas for Endpoint {
    /// Returns the latest schema of the source's subject.
    fn current(&self) -> Result<Arc<Writer>, Rejection> {
        self.source.current.load_full().ok_or(Rejection::SchemaUnavailable)
    }

    /// Returns the schema of `id`, which must be a version of one of the source's subjects: the current one, or from
    /// memory or from the registry.
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

    /// Returns the schema of `id` as far as it can be found without the registry.
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

    /// Returns the schema of the source's subjects that has this fingerprint.
    async fn writer_of_fingerprint(&self, fingerprint: u64, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        self.in_subjects(SchemaName::Fingerprint(fingerprint), deadline, |subject| {
            self.common.registry.by_fingerprint(subject, fingerprint)
        })
        .await
    }

    /// Returns the schema whose text stands in a file: the one of the source's subject that means the same. Where there
    /// is none, it is registered if the source allows it.
    async fn writer_of_text(&self, text: &str, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        let schemas = &self.source.file_schemas;
        if let Some(known) = schemas.get(text).await {
            return known.map_err(|why| Rejection::UnusableSchema(SchemaName::File, why));
        }
        let owned = text.to_owned();
        let Ok(schema) = self.common.workers.run(deadline, move || Schema::parse(&owned)).await? else {
            schemas.refuse(text, NOT_AVRO).await;
            return Err(Rejection::UnusableSchema(SchemaName::File, NOT_AVRO));
        };
        let writer = match self.writer_of_meaning(&schema, deadline).await {
            Err(Rejection::UnknownSchema(_)) if self.source.register_schemas => {
                self.registered(text, schema, deadline).await?
            }
            found => found?,
        };
        schemas.keep(text, &writer).await;
        Ok(writer)
    }
}

impl Endpoint {
    /// Returns the schema of the source's subjects by which readers get the same values as by `schema`.
    async fn writer_of_meaning(&self, schema: &Schema, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        let current = self.source.current.load_full();
        if let Some(current) = current.filter(|current| current.schema.meaning() == schema.meaning()) {
            return Ok(current);
        }
        let ask = |subject| self.common.registry.by_meaning(subject, schema);
        self.in_subjects(SchemaName::File, deadline, ask).await
    }

    /// Returns the schema `name` that `ask` finds in the source's subjects; in several of them only where all mean the
    /// same.
    async fn in_subjects<'s, A>(
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

    async fn registered(&self, text: &str, schema: Schema, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        let (source, subject) = (self.source.name.as_str(), self.source.subject.as_str());
        let schema = Arc::new(schema);
        // Before it is registered, since it stays there permanently.
        self.source
            .writer(SchemaId(0), Arc::clone(&schema))
            .map_err(|_| Rejection::UnusableSchema(SchemaName::File, NO_KEY))?;
        let id = match timeout_at(deadline, self.common.registry.register(subject, text)).await {
            Ok(Ok(id)) => id,
            Ok(Err(error @ RegistryError::Unusable { .. })) => {
                tracing::warn!(source, subject, %error, "Cannot register the schema of a file.");
                return Err(Rejection::UnusableSchema(SchemaName::File, REFUSED));
            }
            Ok(Err(_)) | Err(_) => return Err(Rejection::SchemaUnavailable),
        };
        // A registry may take schemas for one that have the same canonical form.
        let stored = answered(timeout_at(deadline, self.common.registry.by_id(id)).await, &SchemaName::Id(id))?;
        if stored.meaning() != schema.meaning() {
            tracing::error!(
                source,
                subject,
                schema_id = id.0,
                "The registry mistakes the schema of a file for another one."
            );
            return Err(Rejection::UnusableSchema(SchemaName::File, TAKEN_FOR_ANOTHER));
        }
        tracing::info!(source, subject, schema_id = id.0, "Registered the schema of a file.");
        self.compiled(RegisteredSchema { id, schema }, &SchemaName::File)
    }

    fn compiled(&self, found: RegisteredSchema, name: &SchemaName) -> Result<Arc<Writer>, Rejection> {
        match self.source.writer(found.id, found.schema) {
            Ok(writer) => Ok(Arc::new(writer)),
            Err(_) => Err(Rejection::UnusableSchema(*name, NO_KEY)),
        }
    }
}

/// Returns what the registry's answer means for the request that needs the schema `name`.
fn answered<T, E>(answer: Result<Result<T, RegistryError>, E>, name: &SchemaName) -> Result<T, Rejection> {
    match answer {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(RegistryError::NotYet { .. })) => Err(Rejection::SchemaPending(*name)),
        Ok(Err(RegistryError::NotFound { .. })) => Err(Rejection::UnknownSchema(*name)),
        Ok(Err(RegistryError::Unusable { .. })) => Err(Rejection::UnusableSchema(*name, NOT_AVRO)),
        Ok(Err(RegistryError::Ambiguous { .. })) => Err(Rejection::UnusableSchema(*name, AMBIGUOUS)),
        Ok(Err(RegistryError::Unavailable { .. })) | Err(_) => Err(Rejection::SchemaUnavailable),
    }
}
