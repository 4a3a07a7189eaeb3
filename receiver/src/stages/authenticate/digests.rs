//! Compares secrets that are sent in clear text.

use service::secret::Secret;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::Unauthorized;

/// Holds the live secrets, as SHA-256 digests: those are all of one length, so that a comparison does not reveal the
/// length of a secret.
pub(crate) struct Digests(Vec<[u8; 32]>);

impl Digests {
    /// Accepts each of `secrets`.
    pub(crate) fn new(secrets: &[Secret]) -> Self {
        Self(secrets.iter().map(|secret| Sha256::digest(secret.expose()).into()).collect())
    }

    /// Checks whether `presented` is one of the secrets. Always compares with all of them, in constant time.
    pub(crate) fn check(&self, presented: &[u8]) -> Result<(), Unauthorized> {
        let presented: [u8; 32] = Sha256::digest(presented).into();
        let found = self.0.iter().fold(Choice::from(0), |found, digest| found | digest.ct_eq(&presented));
        if bool::from(found) { Ok(()) } else { Err(Unauthorized) }
    }
}
