//! One pull: fetches the latest schema from CXone, checks it, and registers it if it is new.

use avro::{Schema, SchemaError};
use registry::wire::SchemaId;
use registry::{RegistryError, SchemaRegistry};

use super::compatibility::refusal;
use super::subjects::{Subjects, SubjectsError, Version};
use super::{Cxone, CxoneError};

/// Pulls schemas from CXone into the registry.
#[derive(Debug)]
pub(crate) struct Puller {
    cxone: Cxone,
    subjects: Subjects,
    registry: SchemaRegistry,
}

/// The result of a pull.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pulled {
    /// The registry already has the schema as the latest version.
    Unchanged {
        /// The version.
        version: u32,
        /// Its id.
        id: SchemaId,
    },
    /// The schema is registered now.
    Registered {
        /// Its version.
        version: u32,
        /// Its id.
        id: SchemaId,
        /// The version before it, if there was one.
        before: Option<u32>,
    },
    /// The registry has the schema as an older version. Registering it again changes nothing.
    Older {
        /// Its id.
        id: SchemaId,
        /// The latest version.
        latest: u32,
    },
    /// A dry run found a schema that a pull would register.
    New {
        /// The version before it, if there is one.
        before: Option<u32>,
    },
}

/// Says why nothing was registered.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PullError {
    /// CXone did not return a schema.
    #[error("subject {subject}: {source}")]
    Cxone {
        /// The subject.
        subject: String,
        /// The cause.
        source: CxoneError,
    },
    /// CXone's schema cannot be used.
    #[error("subject {subject}: CXone's schema is not a usable Avro schema: {source}")]
    Schema {
        /// The subject.
        subject: String,
        /// The cause.
        source: SchemaError,
    },
    /// The registry refuses the schema as the next version.
    #[error(
        "subject {subject}: CXone's schema is not compatible with version {latest} by the registry's rules, and was \
         not registered: {reason}. Check the change (penstock-receiver schema show); if it is intended, set the \
         subject's compatibility level in the registry, and pull again"
    )]
    Incompatible {
        /// The subject.
        subject: String,
        /// The version it was compared with.
        latest: u32,
        /// The reason.
        reason: String,
    },
    /// The registry gives the schema the id of another one, with which readers get other values.
    #[error(
        "subject {subject}: the registry treats CXone's schema as equal to schema id {id}, with which readers get \
         other values (logical types, precision or scale): configure the registry to keep both, and pull again"
    )]
    TakenForAnother {
        /// The subject.
        subject: String,
        /// The id of the other schema.
        id: SchemaId,
    },
    /// A request to the registry failed.
    #[error(transparent)]
    Subjects(#[from] SubjectsError),
    /// The registry did not register the schema.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl Puller {
    /// Creates a puller.
    pub(crate) fn new(cxone: Cxone, subjects: Subjects, registry: SchemaRegistry) -> Self {
        Self { cxone, subjects, registry }
    }

    /// Fetches the latest schema of `subject` from CXone, and registers it if it is new and compatible. With `dry_run`,
    /// only returns what a pull would do.
    ///
    /// # Errors
    /// [`PullError`]. In that case nothing was registered.
    pub(crate) async fn pull(&self, subject: &str, dry_run: bool) -> Result<Pulled, PullError> {
        let of_cxone = |source| PullError::Cxone { subject: subject.to_owned(), source };
        let text = self.cxone.schema(subject).await.map_err(of_cxone)?;
        let schema =
            Schema::parse(&text).map_err(|source| PullError::Schema { subject: subject.to_owned(), source })?;
        let latest = self.subjects.latest(subject).await?;
        if let Some(Version { version, id, .. }) = latest.as_ref().filter(|latest| same(&latest.text, &text)) {
            return Ok(Pulled::Unchanged { version: *version, id: *id });
        }
        if let Some(latest) = &latest
            && let Some(reason) = refusal(&self.subjects, subject, latest, &text, &[]).await?
        {
            return Err(PullError::Incompatible { subject: subject.to_owned(), latest: latest.version, reason });
        }
        let before = latest.map(|latest| latest.version);
        if dry_run {
            return Ok(Pulled::New { before });
        }
        let id = self.registry.register(subject, &text).await?;
        // A registry may treat schemas with the same canonical form as equal.
        if self.registry.by_id(id).await?.meaning() != schema.meaning() {
            return Err(PullError::TakenForAnother { subject: subject.to_owned(), id });
        }
        // The answer to the registration does not tell the version.
        Ok(match self.subjects.latest(subject).await? {
            Some(now) if now.id == id && Some(now.version) == before => Pulled::Unchanged { version: now.version, id },
            Some(now) if now.id == id => Pulled::Registered { version: now.version, id, before },
            Some(now) => Pulled::Older { id, latest: now.version },
            None => Pulled::Registered { version: 1, id, before },
        })
    }
}

/// Returns whether two texts are the same JSON, however they are formatted.
fn same(left: &str, right: &str) -> bool {
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    parsed(left).is_some_and(|left| Some(left) == parsed(right))
}
