//! Why a record has no schema to be decoded with.

use registry::RegistryError;

/// Why a schema id has no usable schema.
#[derive(Clone, Debug)]
pub struct Missing {
    /// A short fixed word.
    pub error_type: &'static str,
    /// The registry's answer.
    pub reason: String,
}

impl Missing {
    /// Creates the reason from the registry's error.
    pub fn of(error: &RegistryError) -> Self {
        let error_type = match error {
            RegistryError::NotFound { .. } | RegistryError::NotYet { .. } => "unknown-schema",
            RegistryError::Unusable { .. } | RegistryError::Unavailable { .. } | RegistryError::Ambiguous { .. } => {
                "unusable-schema"
            }
        };
        Self { error_type, reason: error.to_string() }
    }
}
