//! The rules for safe secrets.

use super::{Auth, standard_webhooks_key};
use service::secret::Secret;

/// The least bytes of a secret: 128 bits, which cannot be guessed and which NIST SP 800-107 requires of an HMAC key.
const MIN_SECRET: usize = 16;

/// Returns why `secret` is not safe to use, or `None` if it is. `number` is its position in `auth`, counted from 1. The
/// text does not contain the secret.
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
