//! `Authorization: Bearer <token>` (RFC 6750).

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use shared::secret::Secret;
use subtle::{Choice, ConstantTimeEq};

use super::{Unauthorized, single};

/// The live tokens, as SHA-256 digests: digests are all of one length, so that comparing them does not tell a token's length.
pub(crate) struct Bearer {
    digests: Vec<[u8; 32]>,
}

impl Bearer {
    /// Accepts each of `tokens`.
    pub(crate) fn new(tokens: &[Secret]) -> Self {
        Self { digests: tokens.iter().map(|token| Sha256::digest(token.expose()).into()).collect() }
    }

    /// Checks the header `Authorization`. Compares with every token, whichever matches, in constant time.
    pub(crate) fn check(&self, head: &HeaderMap) -> Result<(), Unauthorized> {
        let presented = token(single(head, &header::AUTHORIZATION)?).ok_or(Unauthorized)?;
        let presented: [u8; 32] = Sha256::digest(presented).into();
        let found = self.digests.iter().fold(Choice::from(0), |found, digest| found | digest.ct_eq(&presented));
        if bool::from(found) { Ok(()) } else { Err(Unauthorized) }
    }
}

/// What follows the scheme, which is case-insensitive (RFC 9110, section 11.1), and one space or more.
fn token(credentials: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = credentials.split_at_checked(b"bearer".len())?;
    if !scheme.eq_ignore_ascii_case(b"bearer") || rest.first() != Some(&b' ') {
        return None;
    }
    Some(rest.trim_ascii())
}
