//! `Authorization: Basic <user:password in base64>` (RFC 7617).

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use service::secret::Secret;

use super::digests::Digests;
use super::{Unauthorized, credentials};

/// The accepted users with their passwords.
pub(super) struct Basic(Digests);

impl Basic {
    /// Accepts each of `users`, which are `user:password`.
    pub(super) fn new(users: &[Secret]) -> Self {
        Self(Digests::new(users))
    }

    /// Checks the header `Authorization`.
    pub(super) fn check(&self, head: &HeaderMap) -> Result<(), Unauthorized> {
        let presented = STANDARD.decode(credentials(head, "basic")?).map_err(|_| Unauthorized)?;
        self.0.check(&presented)
    }
}
