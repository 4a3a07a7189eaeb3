//! The reasons why there is no schema. Callers treat them differently: the schema does not exist, does not exist yet,
//! cannot be fetched now, or cannot be used.

use std::error::Error;

use schema_registry_converter::error::SRCError;
use schema_registry_converter::schema_registry_common::RawError;

/// Says why there is no schema.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry has no such id or subject.
    #[error("the schema registry at {url} has no {what}")]
    NotFound {
        /// The registry.
        url: String,
        /// The item, such as `schema id 7` or `subject x`.
        what: String,
    },
    /// The registry has no such id or subject so far. A recent registration may not have reached each of its nodes yet,
    /// so ask again.
    #[error("the schema registry at {url} has no {what} yet; asking again")]
    NotYet {
        /// The registry.
        url: String,
        /// The item, such as `schema id 7` or `subject x`.
        what: String,
    },
    /// The registry did not answer, or answered with an error of its own. Try again later.
    #[error("the schema registry at {url} cannot provide {what}: {reason}")]
    Unavailable {
        /// The registry.
        url: String,
        /// The item, such as `schema id 7` or `subject x`.
        what: String,
        /// What happened.
        reason: String,
    },
    /// The registry has it, but it is not a usable Avro schema.
    #[error("{what} at the schema registry {url} is not a usable Avro schema: {reason}")]
    Unusable {
        /// The registry.
        url: String,
        /// The item, such as `schema id 7` or `subject x`.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Several versions fit, and a reader would get different values from them.
    #[error(
        "{what} at the schema registry {url} stands for several versions with different meanings (logical types, \
         precision or scale): name the version or the schema id"
    )]
    Ambiguous {
        /// The registry.
        url: String,
        /// The item, such as `the fingerprint 00aa in subject x`.
        what: String,
    },
}

/// Says why no registry client can be created from the config.
#[derive(Clone, Debug, thiserror::Error)]
#[error("schema_registry.{key}: {reason}")]
pub struct RegistrySetupError {
    /// The key within the section.
    pub key: &'static str,
    /// What is wrong with its value, without the value.
    pub reason: String,
}

impl RegistrySetupError {
    pub(super) fn new(key: &'static str, reason: impl ToString) -> Self {
        Self { key, reason: reason.to_string() }
    }
}

/// The most bytes of a reason, which may quote what the registry sent.
const MAX_REASON: usize = 500;

impl RegistryError {
    /// Returns the meaning of a failed call for `what`.
    ///
    /// Decides by the `error_code` of the answer (Confluent Schema Registry API reference, "Errors"), whose first three
    /// digits are the HTTP status. An answer without a code does not come from a registry but from something in front
    /// of it, whatever its status: a proxy's 404 says nothing about a schema.
    pub(super) fn from_call(error: &SRCError, url: &str, what: &str) -> Self {
        Self::from_answer(error_code(error), reason(error), url, what)
    }

    /// Returns the meaning of an answer for `what`, from the `error_code` of its body if it has one; see
    /// [`RegistryError::from_call`].
    pub(super) fn from_answer(code: Option<u32>, reason: String, url: &str, what: &str) -> Self {
        let (url, what) = (url.to_owned(), what.to_owned());
        match code {
            Some(40401..=40403) => Self::NotFound { url, what },
            Some(409 | 422 | 40900..=40999 | 42200..=42299) => Self::Unusable { url, what, reason },
            Some(_) | None => Self::Unavailable { url, what, reason },
        }
    }

    /// Says that the node at `url` could not be asked for `what`, or did not answer.
    pub(super) fn unavailable(url: &str, what: &str, reason: String) -> Self {
        Self::Unavailable { url: url.to_owned(), what: what.to_owned(), reason }
    }

    /// Converts the error for a missing reference: the node that was asked may be behind the one that returned the
    /// schema.
    pub(super) fn of_reference(self) -> Self {
        match self {
            Self::NotFound { url, what } => Self::NotYet { url, what },
            other @ (Self::NotYet { .. }
            | Self::Unavailable { .. }
            | Self::Unusable { .. }
            | Self::Ambiguous { .. }) => other,
        }
    }
}

/// The code of a registry or subject that accepts no schema at the moment, whatever the schema is: its mode is
/// `READONLY` or `IMPORT` (Confluent Schema Registry API reference, "Errors" and "Modes").
const NOT_PERMITTED: u32 = 42205;

/// Returns the reason if the registry has refused a registration because of its mode, and not because of the schema.
pub(super) fn not_permitted(error: &SRCError) -> Option<String> {
    (error_code(error) == Some(NOT_PERMITTED)).then(|| reason(error))
}

fn error_code(error: &SRCError) -> Option<u32> {
    error.source()?.downcast_ref::<RawError>().map(|raw| raw.error_code)
}

/// Returns the message of the call with those of its causes.
fn reason(error: &SRCError) -> String {
    let mut reason = error.error.clone();
    let mut source = error.source();
    while let Some(cause) = source {
        reason.push_str(": ");
        reason.push_str(&cause.to_string());
        source = cause.source();
    }
    reason.truncate(reason.floor_char_boundary(MAX_REASON));
    reason
}
