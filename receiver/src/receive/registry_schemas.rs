//! Finds schemas in the registry.
//!
//! The schema must be a version of one of the source's subjects, because a registry also holds schemas that have
//! nothing to do with this source.
//!
//! If the registry says for a while that it has no such schema, the sender is at fault. Any other failure of the
//! registry is a failure of the receiver. The two are never mixed up.

use std::sync::Arc;
use std::time::SystemTime;

use avro::Schema;
use registry::wire::SchemaId;
use registry::{RegisteredSchema, RegistryError, SchemaRegistry};
use service::budget::LogBudget;
use tokio::time::{Instant, timeout_at};

use super::common::Common;
use crate::message::Writer;
use crate::reject::{Rejection, SchemaName};
use crate::source::Source;

/// The reason for a schema that is not usable Avro.
pub(super) const NOT_AVRO: &str = "it is not an Avro schema that can be used";
/// The reason for a schema without the key field.
const NO_KEY: &str = "it lacks the field that identifies an event";
const AMBIGUOUS: &str = "several versions of the subject have it and mean different values (logical types, precision \
 or scale): name one by the header X-Schema-Id or X-Schema-Version";
const TAKEN_FOR_ANOTHER: &str =
    "the schema registry mistakes it for another version, with which readers get other values: register it by hand";
const REFUSED: &str = "the schema registry refuses it, for example because it is not compatible";

/// The subjects of one source in the registry.
pub(super) struct RegistrySchemas {
    source: Arc<Source>,
    registry: SchemaRegistry,
    log_budget: Arc<LogBudget>,
}

impl RegistrySchemas {
    /// Creates the access to the subjects of `source`.
    pub(super) fn new(source: &Arc<Source>, common: &Common) -> Self {
        let (registry, log_budget) = (common.registry.clone(), Arc::clone(&common.log_budget));
        Self { source: Arc::clone(source), registry, log_budget }
    }

    /// Returns the schema of `id`, a version of one of the subjects.
    pub(super) async fn by_id(&self, id: SchemaId, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        let name = SchemaName::Id(id);
        let asked = self.registry.by_id_of(id, &self.source.subjects);
        let schema = answered(timeout_at(deadline, asked).await, &name)?;
        compiled(&self.source, RegisteredSchema { id, schema }, &name)
    }

    /// Returns the schema of this version of the first subject.
    pub(super) async fn by_version(&self, version: u32, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        let asked = self.registry.by_version(&self.source.subject, version);
        let name = SchemaName::Version(version);
        let found = answered(timeout_at(deadline, asked).await, &name)?;
        compiled(&self.source, found, &name)
    }

    /// Returns the schema with this fingerprint.
    pub(super) async fn by_fingerprint(&self, fingerprint: u64, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        let ask = |subject| self.registry.by_fingerprint(subject, fingerprint);
        in_subjects(&self.source, SchemaName::Fingerprint(fingerprint), deadline, ask).await
    }

    /// Returns the schema of a file with which readers get the same values as with `schema`.
    pub(super) async fn by_meaning(&self, schema: &Schema, deadline: Instant) -> Result<Arc<Writer>, Rejection> {
        let current = self.source.current.load_full();
        if let Some(current) = current.filter(|current| current.schema.meaning() == schema.meaning()) {
            return Ok(current);
        }
        let ask = |subject| self.registry.by_meaning(subject, schema);
        in_subjects(&self.source, SchemaName::File, deadline, ask).await
    }

    /// Registers the schema of a file, whose text is `text`, as the next version of the first subject.
    pub(super) async fn register(
        &self,
        text: &str,
        schema: Schema,
        deadline: Instant,
    ) -> Result<Arc<Writer>, Rejection> {
        let (source, subject) = (self.source.name.as_str(), self.source.subject.as_str());
        let schema = Arc::new(schema);
        // This check comes first, because a registered schema stays in the registry permanently.
        self.source
            .writer(SchemaId(0), Arc::clone(&schema))
            .map_err(|_| Rejection::UnusableSchema(SchemaName::File, NO_KEY))?;
        let id = match timeout_at(deadline, self.registry.register(subject, text)).await {
            Ok(Ok(id)) => id,
            Ok(Err(error)) => {
                if let Some(suppressed) = self.log_budget.take(SystemTime::now()) {
                    tracing::warn!(source, subject, %error, suppressed, "Cannot register the schema of a file.");
                }
                return Err(match error {
                    RegistryError::Unusable { .. } => Rejection::UnusableSchema(SchemaName::File, REFUSED),
                    RegistryError::NotFound { .. }
                    | RegistryError::NotYet { .. }
                    | RegistryError::Unavailable { .. }
                    | RegistryError::Ambiguous { .. } => Rejection::SchemaUnavailable,
                });
            }
            Err(_) => return Err(Rejection::SchemaUnavailable),
        };
        // A registry may treat schemas with the same canonical form as equal.
        let stored = answered(timeout_at(deadline, self.registry.by_id(id)).await, &SchemaName::Id(id))?;
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
        compiled(&self.source, RegisteredSchema { id, schema }, &SchemaName::File)
    }
}

/// Returns the schema `name` that `ask` finds in the subjects of `source`. If several subjects have one, all must mean
/// the same.
async fn in_subjects<'s, A>(
    source: &'s Source,
    name: SchemaName,
    deadline: Instant,
    ask: impl Fn(&'s str) -> A,
) -> Result<Arc<Writer>, Rejection>
where
    A: Future<Output = Result<RegisteredSchema, RegistryError>>,
{
    let mut found: Option<RegisteredSchema> = None;
    let mut missing = Rejection::UnknownSchema(name);
    for subject in &source.subjects {
        let other = match answered(timeout_at(deadline, ask(subject)).await, &name) {
            Ok(other) => other,
            // Another subject may have it.
            Err(Rejection::UnknownSchema(_)) => continue,
            Err(pending @ Rejection::SchemaPending(_)) => {
                missing = pending;
                continue;
            }
            Err(rejection) => return Err(rejection),
        };
        if found.as_ref().is_some_and(|first| first.schema.meaning() != other.schema.meaning()) {
            return Err(Rejection::UnusableSchema(name, AMBIGUOUS));
        }
        found.get_or_insert(other);
    }
    let found = found.ok_or(missing)?;
    match source.current.load_full() {
        Some(current) if current.id == found.id => Ok(current),
        _ => compiled(source, found, &name),
    }
}

fn compiled(source: &Source, found: RegisteredSchema, name: &SchemaName) -> Result<Arc<Writer>, Rejection> {
    match source.writer(found.id, found.schema) {
        Ok(writer) => Ok(Arc::new(writer)),
        Err(_) => Err(Rejection::UnusableSchema(*name, NO_KEY)),
    }
}

/// Returns the meaning of the registry's answer for the request that needs the schema `name`.
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
