//! Finds the schema of an object container file by the meaning of its text, and registers it if the source allows it.

use std::sync::Arc;
use std::time::SystemTime;

use avro::Schema;
use registry::wire::SchemaId;
use registry::{RegisteredSchema, RegistryError};
use tokio::time::{Instant, timeout_at};

use super::Endpoint;
use super::schemas::{NO_KEY, NOT_AVRO, answered};
use crate::message::Writer;
use crate::reject::{Rejection, SchemaName};

const TAKEN_FOR_ANOTHER: &str =
    "the schema registry mistakes it for another version, with which readers get other values: register it by hand";
const REFUSED: &str = "the schema registry refuses it, for example because it is not compatible";

impl Endpoint {
    /// Returns the schema with this text, see [`Schemas::writer_of_text`](super::reader::Schemas::writer_of_text).
    pub(super) async fn writer_of_file(&self, text: &str, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        let schemas = &self.source.file_schemas;
        if let Some(known) = schemas.get(text).await {
            return known.map_err(|why| Rejection::UnusableSchema(SchemaName::File, why));
        }
        let owned = text.to_owned();
        let Ok(schema) = self.common.workers.run(deadline, move || Schema::parse(&owned)).await? else {
            schemas.refuse(text, NOT_AVRO).await;
            return Err(Rejection::UnusableSchema(SchemaName::File, NOT_AVRO));
        };
        let found = match self.writer_of_meaning(&schema, deadline).await {
            Err(Rejection::UnknownSchema(_)) if self.source.register_schemas => {
                self.registered(text, schema, deadline).await
            }
            found => found,
        };
        match &found {
            Ok(writer) => schemas.keep(text, writer).await,
            Err(Rejection::UnusableSchema(_, why)) => schemas.refuse(text, why).await,
            Err(_) => {}
        }
        found
    }

    /// Returns the schema in the source's subjects with which readers get the same values as with `schema`.
    async fn writer_of_meaning(&self, schema: &Schema, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        let current = self.source.current.load_full();
        if let Some(current) = current.filter(|current| current.schema.meaning() == schema.meaning()) {
            return Ok(current);
        }
        let ask = |subject| self.common.registry.by_meaning(subject, schema);
        self.in_subjects(SchemaName::File, deadline, ask).await
    }

    async fn registered(&self, text: &str, schema: Schema, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        let (source, subject) = (self.source.name.as_str(), self.source.subject.as_str());
        let schema = Arc::new(schema);
        // This check comes first, because a registered schema stays in the registry permanently.
        self.source
            .writer(SchemaId(0), Arc::clone(&schema))
            .map_err(|_| Rejection::UnusableSchema(SchemaName::File, NO_KEY))?;
        let id = match timeout_at(deadline, self.common.registry.register(subject, text)).await {
            Ok(Ok(id)) => id,
            Ok(Err(error @ RegistryError::Unusable { .. })) => {
                if let Some(suppressed) = self.common.log_budget.take(SystemTime::now()) {
                    tracing::warn!(source, subject, %error, suppressed, "Cannot register the schema of a file.");
                }
                return Err(Rejection::UnusableSchema(SchemaName::File, REFUSED));
            }
            Ok(Err(_)) | Err(_) => return Err(Rejection::SchemaUnavailable),
        };
        // A registry may treat schemas with the same canonical form as equal.
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
}
