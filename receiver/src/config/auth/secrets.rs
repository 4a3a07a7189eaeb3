//! What a secret must be like to be safe.

use super::{Auth, standard_webhooks_key};
use service::secret::Secret;

/// Bytes that a secret must have at least: 128 bits, which is what NIST SP 800-107 wants of an HMAC key, and what
/// cannot be guessed.
const MIN_SECRET: usize = 16;

/// Returns why `secret`, which is this `number` of those of `auth`, counted from 1, is not safe to use; in words that
/// do not hold it. `None` if it is.
pub(crate) fn problem(auth: &Auth, number: usize, secret: &Secret) -> Option<String> {
    let (length, example) = match auth {
        Auth::StandardWebhooks { .. } => match standard_webhooks_key(secret) {
            Some(decoded) => (decoded.len(), "openssl rand -base64 32"),
            None => return Some(format!("number {number} must be base64, with or without whsec_")),
        },
        Auth::Basic { .. } => match secret.expose().split_once(':') {
            Some((_, password)) => (password.len(), "openssl rand -hex 32"),
            None => return Some(format!("number {number} must be user:password")),
        },
        Auth::None | Auth::Bearer { .. } | Auth::Hmac { .. } | Auth::Mtls { .. } => {
            (secret.expose().trim().len(), "openssl rand -hex 32")
        }
    };
    (length < MIN_SECRET).then(|| {
        format!(
            "number {number} is {length} bytes, too short to be safe: use at least {MIN_SECRET}, such as from \
             `{example}`"
        )
    })
}
