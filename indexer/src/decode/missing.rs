//! Why there is no schema to decode a record by.

use registry::RegistryError;

/// Why a schema id has no usable schema.
#[derive(Clone, Debug)]
pub struct Missing {
    /// A short fixed word.
    pub error_type: &'static str,
    /// What the registry said.
    pub reason: String,
}

impl Missing {
    /// Takes up what the registry said.
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
