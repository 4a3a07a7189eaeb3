//! What keeps a config from being used.

/// Why the config cannot be used: one line for each problem, with the file and line or the environment variable, and
/// the key.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);
