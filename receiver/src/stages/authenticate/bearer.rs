//! `Authorization: Bearer <token>` (RFC 6750).

use axum::http::HeaderMap;
use service::secret::Secret;

use super::digests::Digests;
use super::{Unauthorized, credentials};

/// The accepted tokens.
pub(super) struct Bearer(Digests);

impl Bearer {
    /// Accepts each of `tokens`.
    pub(super) fn new(tokens: &[Secret]) -> Self {
        Self(Digests::new(tokens))
    }

    /// Checks the header `Authorization`.
    pub(super) fn check(&self, head: &HeaderMap) -> Result<(), Unauthorized> {
        self.0.check(credentials(head, "bearer")?)
    }
}
