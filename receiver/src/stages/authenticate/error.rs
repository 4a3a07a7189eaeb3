//! Why a source's `auth` cannot be used.

use crate::config::SecretsError;

/// Why a source's `auth` cannot be used. Holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Its secrets cannot be used.
    #[error("{key}: {source}")]
    Secrets {
        /// The config key.
        key: String,
        /// What is wrong.
        source: SecretsError,
    },
    /// A secret of Standard Webhooks that is not in base64.
    #[error("{key}: one of them is not base64, with or without whsec_")]
    NotBase64 {
        /// The config key.
        key: String,
    },
    /// Not the name of a header.
    #[error("{key}: {name:?} is not the name of an HTTP header")]
    Header {
        /// The config key.
        key: String,
        /// What stands there.
        name: String,
    },
    /// What is signed would not have the body, or not the time.
    #[error("{key}: {reason}")]
    Signed {
        /// The config key.
        key: String,
        /// What is wrong.
        reason: String,
    },
}
