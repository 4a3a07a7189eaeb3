//! Says why the settings of `elasticsearch` cannot be used.

use config::ConfigError;

/// Why the settings cannot be used. The message follows "elasticsearch".
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// An address is invalid.
    #[error("url: address {number} cannot be used: {reason}")]
    Url {
        /// The number of the address, from 1. The address itself may contain a password.
        number: usize,
        /// The problem.
        reason: String,
    },
    /// The name of the index is invalid.
    #[error("index_name: {name:?} cannot be the name of an index: {reason}")]
    IndexName {
        /// The name.
        name: String,
        /// The problem.
        reason: &'static str,
    },
    /// The file of the lifecycle policy is invalid.
    #[error("lifecycle: {0}")]
    Lifecycle(#[from] ConfigError),
    /// The file of CA certificates cannot be used.
    #[error("ca_file: {0}")]
    CaFile(String),
    /// A password, key or token cannot be used.
    #[error("auth.{key}: {reason}")]
    Credentials {
        /// The config key.
        key: &'static str,
        /// The problem.
        reason: String,
    },
    /// The HTTP client could not be set up.
    #[error("cannot set up the client: {0}")]
    Client(String),
}
