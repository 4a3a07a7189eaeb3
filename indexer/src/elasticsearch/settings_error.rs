//! Why the settings of `elasticsearch` cannot be used.

use config::ConfigError;

/// Why the settings cannot be used. The message comes after "elasticsearch".
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// An address.
    #[error("url: address {number} cannot be used: {reason}")]
    Url {
        /// Which one, from 1 on. The address itself may hold a password.
        number: usize,
        /// What is wrong.
        reason: String,
    },
    /// The index's name.
    #[error("index_name: {name:?} cannot be the name of an index: {reason}")]
    IndexName {
        /// The name.
        name: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The file of the lifecycle policy.
    #[error("lifecycle: {0}")]
    Lifecycle(#[from] ConfigError),
    /// The file of authorities.
    #[error("ca_file: {0}")]
    CaFile(String),
    /// A password, key or token.
    #[error("auth.{key}: {reason}")]
    Credentials {
        /// The key of the config.
        key: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The HTTP client could not be set up.
    #[error("cannot set up the client: {0}")]
    Client(String),
}
