//! Why a source's `auth` cannot be used.

use crate::config::SecretsError;

/// Says why a source's `auth` cannot be used. Holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The secrets cannot be used.
    #[error("{key}: {source}")]
    Secrets {
        /// The config key.
        key: String,
        /// What is wrong.
        source: SecretsError,
    },
    /// A secret of Standard Webhooks is not base64.
    #[error("{key}: one of them is not base64, with or without whsec_")]
    NotBase64 {
        /// The config key.
        key: String,
    },
    /// The name is not a valid header name.
    #[error("{key}: {name:?} is not the name of an HTTP header")]
    Header {
        /// The config key.
        key: String,
        /// The name in the config.
        name: String,
    },
    /// The signed text would not contain the body or the timestamp.
    #[error("{key}: {reason}")]
    Signed {
        /// The config key.
        key: String,
        /// What is wrong.
        reason: String,
    },
}
