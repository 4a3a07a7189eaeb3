//! `Authorization: Basic <user:password in base64>` (RFC 7617).

use axum::http::HeaderMap;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use service::secret::Secret;

use super::digests::Digests;
use super::{Unauthorized, credentials};

/// Base64 with or without padding, which some clients leave out.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The accepted users with their passwords.
pub(super) struct Basic(Digests);

impl Basic {
    /// Accepts each of `users`, which are `user:password`.
    pub(super) fn new(users: &[Secret]) -> Self {
        Self(Digests::new(users))
    }

    /// Checks the header `Authorization`.
    pub(super) fn check(&self, head: &HeaderMap) -> Result<(), Unauthorized> {
        let presented = LENIENT.decode(credentials(head, "basic")?).map_err(|_| Unauthorized)?;
        if std::str::from_utf8(&presented).is_ok() {
            return self.0.check(&presented);
        }
        // The default of Java's, .NET's and Python's usual clients is ISO 8859-1.
        let text: String = presented.iter().map(|byte| char::from(*byte)).collect();
        self.0.check(text.as_bytes())
    }
}
