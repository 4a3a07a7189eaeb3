//! Signatures in a header, as many senders of webhooks use them. The config determines the header, the notation of the
//! signatures and the signed text.
//!
//! A header may hold several signatures, separated by commas, semicolons or spaces, or it may be repeated: a sender
//! that changes its secret signs with both secrets. The timestamp is in its own header, or among the signatures.

use std::time::{Duration, SystemTime};

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use service::secret::Secret;

use super::signature::{Key, Signatures, Signed, decode_base64, fresh};
use super::{AuthError, Unauthorized, single};
use crate::config::{Auth, HmacAlgorithm, HmacEncoding, SignedPart};

/// The separators of signatures in a header.
const SEPARATORS: [char; 4] = [',', ';', ' ', '\t'];

/// A source's HMAC settings.
pub(super) struct Hmac {
    keys: Vec<Key>,
    algorithm: HmacAlgorithm,
    encoding: HmacEncoding,
    header: HeaderName,
    prefix: String,
    separators: Vec<char>,
    timestamp: Option<Timestamp>,
    tolerance: Duration,
    before: Vec<Piece>,
    after: Vec<Piece>,
}

/// The place of the timestamp.
enum Timestamp {
    /// In this header.
    Header(HeaderName),
    /// Among the signatures, after this prefix.
    Prefix(String),
}

/// A part of the signed text other than the body.
enum Piece {
    Text(String),
    Timestamp,
    Method,
    Path,
    Header(HeaderName),
}

impl Hmac {
    /// Compiles `auth`, which must be of this type, with `secrets`. `key` returns the full name of a config key, for
    /// messages.
    ///
    /// # Errors
    /// When a header name is invalid, or the signed text lacks the body or the timestamp.
    pub(super) fn compile(auth: &Auth, secrets: &[Secret], key: impl Fn(&str) -> String) -> Result<Self, AuthError> {
        let signed_error = |reason: String| AuthError::Signed { key: key("signed"), reason };
        let Auth::Hmac { header, algorithm, encoding, prefix, timestamp_header, timestamp_prefix, tolerance, .. } =
            auth
        else {
            return Err(signed_error("the type is not hmac".to_owned()));
        };
        let timestamp = match (timestamp_header, timestamp_prefix) {
            (Some(name), _) => Some(Timestamp::Header(header_name(key("timestamp_header"), name)?)),
            (None, Some(prefix)) => Some(Timestamp::Prefix(prefix.clone())),
            (None, None) => None,
        };
        let mut before = auth.signed_parts().map_err(signed_error)?;
        let body = before.iter().position(|part| *part == SignedPart::Body).unwrap_or_default();
        let after = before.split_off((body + 1).min(before.len()));
        let pieces = |parts: Vec<SignedPart>| {
            parts.into_iter().filter_map(|part| Piece::of(part).transpose()).collect::<Result<Vec<_>, _>>()
        };
        let keys = secrets.iter().filter_map(|secret| Key::new(*algorithm, secret.expose().as_bytes())).collect();
        let separators = SEPARATORS.into_iter().filter(|separator| !prefix.contains(*separator)).collect();
        Ok(Self {
            keys,
            algorithm: *algorithm,
            encoding: *encoding,
            header: header_name(key("header"), header)?,
            prefix: prefix.clone(),
            separators,
            timestamp,
            tolerance: *tolerance,
            before: pieces(before).map_err(|name| AuthError::Header { key: key("signed"), name })?,
            after: pieces(after).map_err(|name| AuthError::Header { key: key("signed"), name })?,
        })
    }

    /// Checks that there is a well-formed signature, and that the timestamp is near `now`.
    pub(super) fn check_head<'a>(&'a self, request: &'a Parts, now: SystemTime) -> Result<Signed<'a>, Unauthorized> {
        let mut signatures = Signatures::new(self.algorithm);
        let (mut among, mut listing) = (None, false);
        for element in self.elements(&request.headers) {
            if let Some(Timestamp::Prefix(prefix)) = &self.timestamp
                && let Some(time) = element.strip_prefix(prefix.as_str())
            {
                // Two timestamps are refused, because either could be meant.
                if among.replace(time).is_some() {
                    return Err(Unauthorized);
                }
                listing = false;
                continue;
            }
            let written = element.strip_prefix(self.prefix.as_str());
            listing |= written.is_some();
            // Some senders write the prefix only before the first of several signatures. An element of another form may
            // belong to another version.
            if let Some(written) = written.or(listing.then_some(element)) {
                signatures.add(|room| self.decode(written.as_bytes(), room)).ok();
            }
        }
        let timestamp: &[u8] = match &self.timestamp {
            None => b"",
            Some(Timestamp::Header(name)) => fresh(single(&request.headers, name)?, self.tolerance, now)?,
            Some(Timestamp::Prefix(_)) => fresh(among.ok_or(Unauthorized)?.as_bytes(), self.tolerance, now)?,
        };
        if signatures.is_empty() {
            return Err(Unauthorized);
        }
        let pieces = |pieces: &'a [Piece]| pieces.iter().map(|piece| piece.bytes(request, timestamp)).collect();
        let (before, after): (Result<_, _>, Result<_, _>) = (pieces(&self.before), pieces(&self.after));
        Ok(Signed { keys: &self.keys, before: before?, after: after?, signatures })
    }

    /// Returns the hash of `text`, keyed with the secret of this number; `None` if the algorithm is not SHA-256.
    pub(super) fn sha256(&self, secret: usize, text: &[u8]) -> Option<[u8; 32]> {
        self.keys.get(secret)?.sha256(text)
    }

    /// Returns the elements of all headers with this name.
    fn elements<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        let values = headers.get_all(&self.header).iter().filter_map(|value| value.to_str().ok());
        let elements = values.flat_map(|value| value.split(self.separators.as_slice()));
        elements.map(str::trim).filter(|element| !element.is_empty())
    }

    fn decode(&self, written: &[u8], room: &mut [u8]) -> Option<()> {
        match self.encoding {
            HmacEncoding::Hex => hex::decode_to_slice(written, room).ok(),
            HmacEncoding::Base64 => decode_base64(written, room),
        }
    }
}

impl Piece {
    /// Compiles `part`, or returns `None` for the body. The error holds the invalid header name.
    fn of(part: SignedPart) -> Result<Option<Self>, String> {
        Ok(Some(match part {
            SignedPart::Body => return Ok(None),
            SignedPart::Text(text) => Self::Text(text),
            SignedPart::Timestamp => Self::Timestamp,
            SignedPart::Method => Self::Method,
            SignedPart::Path => Self::Path,
            SignedPart::Header(name) => Self::Header(HeaderName::try_from(&name).map_err(|_| name)?),
        }))
    }

    fn bytes<'a>(&'a self, request: &'a Parts, timestamp: &'a [u8]) -> Result<&'a [u8], Unauthorized> {
        Ok(match self {
            Self::Text(text) => text.as_bytes(),
            Self::Timestamp => timestamp,
            Self::Method => request.method.as_str().as_bytes(),
            Self::Path => request.uri.path_and_query().map_or("/", |path| path.as_str()).as_bytes(),
            Self::Header(name) if !request.headers.contains_key(name) => b"",
            Self::Header(name) => single(&request.headers, name)?,
        })
    }
}

fn header_name(key: String, name: &str) -> Result<HeaderName, AuthError> {
    HeaderName::try_from(name).map_err(|_| AuthError::Header { key, name: name.to_owned() })
}
