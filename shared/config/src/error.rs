//! The error for a config that cannot be used.

/// Says why the config cannot be used: one line per problem, with the key, and the file and line or the environment
/// variable.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);
