//! A keyed hash (HMAC, RFC 2104) of the body and other signed parts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{KeyInit, Mac};
use sha2::{Sha256, Sha512};
use subtle::{Choice, ConstantTimeEq};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Unauthorized;
use super::replay::Mark;
use crate::config::HmacAlgorithm;

/// The bytes of the longest signature of all algorithms.
pub(super) const LONGEST: usize = 64;
/// The most signatures of one request to check. A sender that changes its secret signs with two.
const MOST: usize = 16;
/// The longest signature in base64.
const LONGEST_BASE64: usize = 88;
/// Timestamps from here on are in milliseconds: in seconds they would be after the year 5138. The same holds for
/// microseconds and nanoseconds.
const FIRST_IN_MILLISECONDS: u64 = 100_000_000_000;
const FIRST_IN_MICROSECONDS: u64 = 1_000 * FIRST_IN_MILLISECONDS;
const FIRST_IN_NANOSECONDS: u64 = 1_000 * FIRST_IN_MICROSECONDS;

/// The bytes of a body that are hashed in one turn. A processor without instructions for SHA needs some tenths of a
/// millisecond for each secret.
pub(super) const PIECE: usize = 64 << 10;

/// An accepted secret with its precomputed key schedule, or the hash of a message so far that begins with it.
#[derive(Clone)]
pub(super) enum Key {
    /// For SHA-256.
    Sha256(hmac::Hmac<Sha256>),
    /// For SHA-512.
    Sha512(hmac::Hmac<Sha512>),
}

/// Well-formed signatures, one of which must match the body.
pub(super) struct Signed<'a> {
    pub(super) keys: &'a [Key],
    /// The parts signed before the body.
    pub(super) before: Vec<&'a [u8]>,
    /// The parts signed after the body.
    pub(super) after: Vec<&'a [u8]>,
    pub(super) signatures: Signatures,
}

/// At most [`MOST`] signatures of the same length.
pub(super) struct Signatures {
    bytes: [[u8; LONGEST]; MOST],
    count: usize,
    len: usize,
}

impl Key {
    /// Returns the key of `secret`.
    pub(super) fn new(algorithm: HmacAlgorithm, secret: &[u8]) -> Option<Self> {
        match algorithm {
            HmacAlgorithm::Sha256 => hmac::Hmac::new_from_slice(secret).ok().map(Self::Sha256),
            HmacAlgorithm::Sha512 => hmac::Hmac::new_from_slice(secret).ok().map(Self::Sha512),
        }
    }

    /// Returns the keyed hash of `text`; `None` if the algorithm is not SHA-256.
    pub(super) fn sha256(&self, text: &[u8]) -> Option<[u8; 32]> {
        match self {
            Self::Sha256(key) => Some(key.clone().chain_update(text).finalize().into_bytes().into()),
            Self::Sha512(_) => None,
        }
    }

    fn update(&mut self, text: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(text),
            Self::Sha512(hash) => hash.update(text),
        }
    }

    /// Returns whether the hash is one of `signatures`, and its mark.
    fn finish(self, signatures: &Signatures) -> (Choice, Mark) {
        match self {
            Self::Sha256(hash) => signatures.compare(&hash.finalize().into_bytes()),
            Self::Sha512(hash) => signatures.compare(&hash.finalize().into_bytes()),
        }
    }
}

impl Signatures {
    /// Creates an empty list of signatures of `algorithm`.
    pub(super) fn new(algorithm: HmacAlgorithm) -> Self {
        let len = match algorithm {
            HmacAlgorithm::Sha256 => 32,
            HmacAlgorithm::Sha512 => 64,
        };
        Self { bytes: [[0; LONGEST]; MOST], count: 0, len }
    }

    /// Returns whether there are no signatures.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a signature that `decode` writes into the bytes it gets, all of which it must fill. Ignores signatures
    /// beyond the limit.
    ///
    /// # Errors
    /// When `decode` returns `None`.
    pub(super) fn add(&mut self, decode: impl FnOnce(&mut [u8]) -> Option<()>) -> Result<(), Unauthorized> {
        let Some(room) = self.bytes.get_mut(self.count) else {
            return Ok(());
        };
        decode(room.get_mut(..self.len).ok_or(Unauthorized)?).ok_or(Unauthorized)?;
        self.count += 1;
        Ok(())
    }

    /// Returns whether `right` is one of the signatures, in constant time, and the mark of `right`.
    fn compare(&self, right: &[u8]) -> (Choice, Mark) {
        let mark = right.first_chunk().map_or(0, |begin| Mark::from_be_bytes(*begin));
        let given = self.bytes.iter().take(self.count).map(|given| given.get(..self.len).unwrap_or_default());
        (given.fold(Choice::from(0), |found, given| found | right.ct_eq(given)), mark)
    }
}

impl Signed<'_> {
    /// Checks whether one of the signatures was made for `body` with one of the secrets. Always tries every secret, in
    /// constant time. Returns the number of the matching secret, and a mark for each secret: they identify the message
    /// if it is sent again, whichever secret it is signed with.
    ///
    /// # Errors
    /// [`Unauthorized`]: no signature matches.
    pub(super) fn check_body(&self, body: &[u8]) -> Result<(usize, Vec<Mark>), Unauthorized> {
        let check = |key| {
            let mut hash = self.begin(key);
            hash.update(body);
            self.finish(hash)
        };
        verdict(self.keys.iter().map(check).collect())
    }

    /// Works like [`Signed::check_body`], but lets other requests have their turn after each piece of a large body.
    ///
    /// # Errors
    /// The same as those of [`Signed::check_body`].
    pub(super) async fn check_body_in_turns(&self, body: &[u8]) -> Result<(usize, Vec<Mark>), Unauthorized> {
        let mut checked = Vec::with_capacity(self.keys.len());
        for key in self.keys {
            let mut hash = self.begin(key);
            for (number, piece) in body.chunks(PIECE).enumerate() {
                if number > 0 {
                    tokio::task::yield_now().await;
                }
                hash.update(piece);
            }
            checked.push(self.finish(hash));
        }
        verdict(checked)
    }

    /// Returns the hash with `key` of what is signed before the body.
    fn begin(&self, key: &Key) -> Key {
        let mut hash = key.clone();
        self.before.iter().for_each(|part| hash.update(part));
        hash
    }

    /// Adds what is signed after the body. Returns whether `hash` is one of the signatures, and its mark.
    fn finish(&self, mut hash: Key) -> (Choice, Mark) {
        self.after.iter().for_each(|part| hash.update(part));
        hash.finish(&self.signatures)
    }
}

/// Returns the number of the first secret that matches, and the marks of all secrets.
fn verdict(checked: Vec<(Choice, Mark)>) -> Result<(usize, Vec<Mark>), Unauthorized> {
    let signer = checked.iter().position(|(matches, _)| bool::from(*matches)).ok_or(Unauthorized)?;
    Ok((signer, checked.into_iter().map(|(_, mark)| mark).collect()))
}

/// Decodes base64 in either alphabet (RFC 4648, sections 4 and 5), padded or not, into `room`, which it must fill.
pub(super) fn decode_base64(written: &[u8], room: &mut [u8]) -> Option<()> {
    let unpadded = match written {
        [rest @ .., b'=', b'='] | [rest @ .., b'='] => rest,
        rest => rest,
    };
    let mut standard = [0; LONGEST_BASE64];
    let standard = standard.get_mut(..unpadded.len())?;
    for (to, from) in standard.iter_mut().zip(unpadded) {
        *to = match from {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        };
    }
    let len = STANDARD_NO_PAD.decode_slice(standard, room).ok()?;
    (len == room.len()).then_some(())
}

/// Returns the timestamp as written, if it is at most `tolerance` before or after `now`.
pub(super) fn fresh(written: &[u8], tolerance: Duration, now: SystemTime) -> Result<&[u8], Unauthorized> {
    let now = now.duration_since(UNIX_EPOCH).map_err(|_| Unauthorized)?;
    let time = std::str::from_utf8(written).ok().and_then(since_epoch).ok_or(Unauthorized)?;
    if time.abs_diff(now) <= tolerance { Ok(written) } else { Err(Unauthorized) }
}

/// Returns the time that `text` names, since the Unix epoch: a whole number of seconds, milliseconds, microseconds or
/// nanoseconds, or a time by RFC 3339 as Zendesk, Twitch and Box write it. A number with a fraction is refused: in the
/// signed text `{timestamp}.{body}`, the body could begin at either full stop.
fn since_epoch(text: &str) -> Option<Duration> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let nanoseconds = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
        return u64::try_from(nanoseconds).ok().map(Duration::from_nanos);
    }
    let number = text.parse().ok()?;
    Some(match number {
        ..FIRST_IN_MILLISECONDS => Duration::from_secs(number),
        FIRST_IN_MILLISECONDS..FIRST_IN_MICROSECONDS => Duration::from_millis(number),
        FIRST_IN_MICROSECONDS..FIRST_IN_NANOSECONDS => Duration::from_micros(number),
        FIRST_IN_NANOSECONDS.. => Duration::from_nanos(number),
    })
}
