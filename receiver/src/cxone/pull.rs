//! One pull: the latest schema from CXone, judged, and registered where it is new.

use avro::{Schema, SchemaError};
use registry::wire::SchemaId;
use registry::{RegistryError, SchemaRegistry};

use super::compatibility::refusal;
use super::subjects::{Subjects, SubjectsError, Version};
use super::{Cxone, CxoneError};

/// What a pull needs.
#[derive(Debug)]
pub(crate) struct Puller {
    cxone: Cxone,
    subjects: Subjects,
    registry: SchemaRegistry,
}

/// What came of a pull.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pulled {
    /// The registry had it as the latest version already.
    Unchanged {
        /// The version.
        version: u32,
        /// Its id.
        id: SchemaId,
    },
    /// It is registered now; `before` is the version that was the latest.
    Registered {
        /// The version, where the registry says it.
        version: u32,
        /// Its id.
        id: SchemaId,
        /// The number of the version before it, where there was one.
        before: Option<u32>,
    },
    /// The registry has it, but as an older version than the latest: registering it again changes nothing.
    Older {
        /// The id it has.
        id: SchemaId,
        /// The version that is the latest.
        latest: u32,
    },
    /// It would be registered, if this were no dry run.
    New {
        /// The number of the version before it, where there is one.
        before: Option<u32>,
    },
}

/// Why nothing was registered.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PullError {
    /// CXone has not given a schema.
    #[error("subject {subject}: {source}")]
    Cxone {
        /// The subject.
        subject: String,
        /// Why.
        source: CxoneError,
    },
    /// What it has given cannot be used.
    #[error("subject {subject}: CXone's schema is not a usable Avro schema: {source}")]
    Schema {
        /// The subject.
        subject: String,
        /// Why.
        source: SchemaError,
    },
    /// The registry refuses it as the next version.
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
        /// The registry's words.
        reason: String,
    },
    /// The registry gives it the id of a schema by which readers get other values.
    #[error(
        "subject {subject}: the registry treats CXone's schema as equal to schema id {id}, with which readers get \
         other values (logical types, precision or scale): configure it to keep both, and pull again"
    )]
    TakenForAnother {
        /// The subject.
        subject: String,
        /// The id of the other schema.
        id: SchemaId,
    },
    /// The registry cannot be asked.
    #[error(transparent)]
    Subjects(#[from] SubjectsError),
    /// The registry does not take it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl Puller {
    /// Puts its parts together.
    pub(crate) fn new(cxone: Cxone, subjects: Subjects, registry: SchemaRegistry) -> Self {
        Self { cxone, subjects, registry }
    }

    /// Fetches the latest schema of `subject` from CXone, and registers it where it is new and compatible; with
    /// `dry_run` it says only what it would do.
    ///
    /// # Errors
    /// [`PullError`]; nothing is registered then.
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
        // A registry may take schemas for one that have the same canonical form.
        if self.registry.by_id(id).await?.meaning() != schema.meaning() {
            return Err(PullError::TakenForAnother { subject: subject.to_owned(), id });
        }
        // Its number is in no answer to the registration.
        Ok(match self.subjects.latest(subject).await? {
            Some(now) if now.id == id && Some(now.version) == before => Pulled::Unchanged { version: now.version, id },
            Some(now) if now.id == id => Pulled::Registered { version: now.version, id, before },
            Some(now) => Pulled::Older { id, latest: now.version },
            None => Pulled::Registered { version: 1, id, before },
        })
    }
}

/// Returns whether two texts are one schema, however they are written.
fn same(left: &str, right: &str) -> bool {
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    parsed(left).is_some_and(|left| Some(left) == parsed(right))
}
