//! A signature in a header, as many senders of webhooks have it: which header, how it is written and what is signed are settings.

use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, HeaderName};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared::config::{Auth, HmacAlgorithm, HmacEncoding};
use shared::secret::Secret;

use super::signature::{Key, Signatures, Signed, fresh};
use super::{AuthError, Unauthorized, single};

const BODY: &str = "{body}";
const TIMESTAMP: &str = "{timestamp}";

/// A source's HMAC settings.
pub(super) struct Hmac {
    keys: Vec<Key>,
    algorithm: HmacAlgorithm,
    encoding: HmacEncoding,
    header: HeaderName,
    prefix: String,
    timestamp: Option<HeaderName>,
    tolerance: Duration,
    before: Side,
    after: Side,
}

/// What is signed on one side of the body: text, and where it has the timestamp, text again.
struct Side {
    first: String,
    last: Option<String>,
}

impl Side {
    /// None when `text` has the timestamp twice.
    fn new(text: &str) -> Option<Self> {
        let mut parts = text.split(TIMESTAMP).map(str::to_owned);
        let side = Self { first: parts.next()?, last: parts.next() };
        parts.next().is_none().then_some(side)
    }

    fn parts<'a>(&'a self, timestamp: &'a [u8]) -> [&'a [u8]; 4] {
        match &self.last {
            Some(last) => [self.first.as_bytes(), timestamp, last.as_bytes(), b""],
            None => [self.first.as_bytes(), b"", b"", b""],
        }
    }
}

impl Hmac {
    /// The settings of `auth`, which is of this type, with `secrets`. `key` gives the name of a field, for messages.
    ///
    /// # Errors
    /// When a header has no such name, or what is signed lacks the body or the time.
    pub(super) fn compile(auth: &Auth, secrets: &[Secret], key: impl Fn(&str) -> String) -> Result<Self, AuthError> {
        let Auth::Hmac { header, algorithm, encoding, prefix, timestamp_header, signed, tolerance, .. } = auth else {
            return Err(AuthError::Signed { key: key("type") });
        };
        let timestamp =
            timestamp_header.as_deref().map(|name| header_name(key("timestamp_header"), name)).transpose()?;
        let default = if timestamp.is_some() { "{timestamp}.{body}" } else { BODY };
        let (before, after) = sides(signed.as_deref().unwrap_or(default), timestamp.is_some())
            .ok_or_else(|| AuthError::Signed { key: key("signed") })?;
        // HMAC takes keys of any length: it cannot fail, so that nothing is lost by `filter_map`.
        let keys = secrets.iter().filter_map(|secret| Key::new(*algorithm, secret.expose().as_bytes())).collect();
        Ok(Self {
            keys,
            algorithm: *algorithm,
            encoding: *encoding,
            header: header_name(key("header"), header)?,
            prefix: prefix.clone(),
            timestamp,
            tolerance: *tolerance,
            before,
            after,
        })
    }

    /// Checks that the signature is there and well-formed, and the timestamp near `now`.
    pub(super) fn check_head<'a>(&'a self, head: &'a HeaderMap, now: SystemTime) -> Result<Signed<'a>, Unauthorized> {
        let written = single(head, &self.header)?.strip_prefix(self.prefix.as_bytes()).ok_or(Unauthorized)?;
        let mut signatures = Signatures::new(self.algorithm);
        signatures.add(|room| self.decode(written, room))?;
        let timestamp: &[u8] = match &self.timestamp {
            None => b"",
            Some(name) => fresh(single(head, name)?, self.tolerance, now)?,
        };
        let (before, after) = (self.before.parts(timestamp), self.after.parts(timestamp));
        Ok(Signed { keys: &self.keys, before, after, signatures })
    }

    fn decode(&self, written: &[u8], room: &mut [u8]) -> Option<()> {
        match self.encoding {
            HmacEncoding::Hex => hex::decode_to_slice(written, room).ok(),
            HmacEncoding::Base64 => {
                let len = STANDARD.decode_slice(written, room).ok()?;
                (len == room.len()).then_some(())
            }
        }
    }
}

/// What is signed before and after the body; none unless `signed` has the body once, and the timestamp once or not at all, as it should.
fn sides(signed: &str, has_timestamp: bool) -> Option<(Side, Side)> {
    let (before, after) = signed.split_once(BODY)?;
    let (before, after) = (Side::new(before)?, Side::new(after)?);
    let timestamps = usize::from(before.last.is_some()) + usize::from(after.last.is_some());
    let once = !after.first.contains(BODY) && !after.last.as_ref().is_some_and(|last| last.contains(BODY));
    (once && timestamps == usize::from(has_timestamp)).then_some((before, after))
}

fn header_name(key: String, name: &str) -> Result<HeaderName, AuthError> {
    HeaderName::try_from(name).map_err(|_| AuthError::Header { key, name: name.to_owned() })
}
