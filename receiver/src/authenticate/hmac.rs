//! A keyed hash of the body (HMAC, RFC 2104) in a header, optionally with a timestamp that is signed along.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, HeaderName};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{KeyInit, Mac};
use sha2::{Sha256, Sha512};
use shared::config::{HmacAlgorithm, HmacEncoding};
use shared::secret::Secret;
use subtle::{Choice, ConstantTimeEq};

use super::{Unauthorized, single};

/// The longest signature of all algorithms, in bytes.
const LONGEST: usize = 64;

/// One live secret, its key schedule done once.
pub(crate) enum Key {
    /// For SHA-256.
    Sha256(hmac::Hmac<Sha256>),
    /// For SHA-512.
    Sha512(hmac::Hmac<Sha512>),
}

/// A source's HMAC settings.
pub(crate) struct Hmac {
    /// Each of them is accepted.
    pub(crate) keys: Vec<Key>,
    /// Says how long a signature is.
    pub(crate) algorithm: HmacAlgorithm,
    /// How a signature is written.
    pub(crate) encoding: HmacEncoding,
    /// Where the signature stands.
    pub(crate) header: HeaderName,
    /// What stands before it.
    pub(crate) prefix: String,
    /// Where the timestamp stands, if one is signed.
    pub(crate) timestamp: Option<HeaderName>,
    /// How far the timestamp may be from now, either way.
    pub(crate) tolerance: Duration,
}

/// A signature that is well-formed; whether it is right depends on the body.
pub(crate) struct Signed<'a> {
    hmac: &'a Hmac,
    signature: [u8; LONGEST],
    timestamp: Option<&'a [u8]>,
}

/// The keys for `secrets`.
pub(crate) fn keys(algorithm: HmacAlgorithm, secrets: &[Secret]) -> Vec<Key> {
    // HMAC takes keys of any length: `new_from_slice` cannot fail, so that nothing is lost by `flat_map`.
    secrets.iter().map(|secret| secret.expose().as_bytes()).flat_map(|secret| Key::new(algorithm, secret)).collect()
}

impl Key {
    fn new(algorithm: HmacAlgorithm, secret: &[u8]) -> Option<Self> {
        match algorithm {
            HmacAlgorithm::Sha256 => hmac::Hmac::new_from_slice(secret).ok().map(Self::Sha256),
            HmacAlgorithm::Sha512 => hmac::Hmac::new_from_slice(secret).ok().map(Self::Sha512),
        }
    }

    fn signed(&self, timestamp: Option<&[u8]>, body: &[u8], signature: &[u8]) -> Choice {
        match self {
            Self::Sha256(key) => matches(key.clone(), timestamp, body, signature),
            Self::Sha512(key) => matches(key.clone(), timestamp, body, signature),
        }
    }
}

fn matches(mut mac: impl Mac, timestamp: Option<&[u8]>, body: &[u8], signature: &[u8]) -> Choice {
    if let Some(timestamp) = timestamp {
        mac.update(timestamp);
        mac.update(b".");
    }
    mac.update(body);
    mac.finalize().into_bytes().ct_eq(signature)
}

impl Hmac {
    /// Checks that the signature is there and well-formed, and the timestamp near `now`.
    pub(crate) fn check_head<'a>(&'a self, head: &'a HeaderMap, now: SystemTime) -> Result<Signed<'a>, Unauthorized> {
        let written = single(head, &self.header)?.strip_prefix(self.prefix.as_bytes()).ok_or(Unauthorized)?;
        let mut signature = [0; LONGEST];
        self.decode(written, &mut signature)?;
        let timestamp = match &self.timestamp {
            None => None,
            Some(name) => Some(self.fresh(single(head, name)?, now)?),
        };
        Ok(Signed { hmac: self, signature, timestamp })
    }

    /// The length of a signature in bytes.
    fn len(&self) -> usize {
        match self.algorithm {
            HmacAlgorithm::Sha256 => 32,
            HmacAlgorithm::Sha512 => 64,
        }
    }

    fn decode(&self, written: &[u8], signature: &mut [u8; LONGEST]) -> Result<(), Unauthorized> {
        let signature = signature.get_mut(..self.len()).ok_or(Unauthorized)?;
        match self.encoding {
            HmacEncoding::Hex => hex::decode_to_slice(written, signature).map_err(|_| Unauthorized),
            HmacEncoding::Base64 => match STANDARD.decode_slice(written, signature) {
                Ok(len) if len == self.len() => Ok(()),
                Ok(_) | Err(_) => Err(Unauthorized),
            },
        }
    }

    /// The timestamp as it was written, when it is at most the tolerance before or after `now`.
    fn fresh<'a>(&self, written: &'a [u8], now: SystemTime) -> Result<&'a [u8], Unauthorized> {
        let now = now.duration_since(UNIX_EPOCH).map_err(|_| Unauthorized)?;
        let digits = std::str::from_utf8(written).map_err(|_| Unauthorized)?;
        let seconds: u64 = match digits.bytes().all(|digit| digit.is_ascii_digit()) {
            true => digits.parse().map_err(|_| Unauthorized)?,
            false => return Err(Unauthorized),
        };
        let apart = Duration::from_secs(seconds).abs_diff(now);
        if apart <= self.tolerance { Ok(written) } else { Err(Unauthorized) }
    }
}

impl Signed<'_> {
    /// Whether one of the secrets gives this signature for `body`. Tries every secret, whichever matches, in constant time.
    pub(crate) fn check_body(&self, body: &[u8]) -> Result<(), Unauthorized> {
        let signature = self.signature.get(..self.hmac.len()).ok_or(Unauthorized)?;
        let keys = self.hmac.keys.iter();
        let found = keys.fold(Choice::from(0), |found, key| found | key.signed(self.timestamp, body, signature));
        if bool::from(found) { Ok(()) } else { Err(Unauthorized) }
    }
}
