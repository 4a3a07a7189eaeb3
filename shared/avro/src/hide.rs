//! Replacements for values that a rule hides. They depend only on the value and the rule, so that a replay writes the
//! same bytes.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::hex_digits::hex;
use super::text::{self, Escapes, Text};

/// The replacement of a masked value.
const MASK: &str = "***";

/// How a value is hidden. A null stays null, unless it is dropped.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Hide {
    /// Omits the value with its name.
    Drop,
    /// Replaces the value by [`MASK`].
    Mask,
    /// Replaces the value by [`MASK`] and this many of its last characters.
    KeepLast(u8),
    /// Replaces the value by its HMAC-SHA-256 in hexadecimal digits.
    Hash(HashKey),
}

/// The key of the hashes. It is never printed: with it, values can be guessed and compared with their hashes.
#[derive(Clone)]
pub(super) struct HashKey(Arc<Hmac<Sha256>>);

impl HashKey {
    pub(super) fn new(secret: &[u8]) -> Option<Self> {
        // HMAC accepts keys of any length.
        Hmac::new_from_slice(secret).ok().map(|mac| Self(Arc::new(mac)))
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl PartialEq for HashKey {
    fn eq(&self, other: &Self) -> bool {
        let of = |key: &Self| (*key.0).clone().finalize();
        // The comparison takes constant time.
        of(self) == of(other)
    }
}

impl Hide {
    /// Replaces the JSON in `out` from `mark` on.
    pub(super) fn apply(&self, mark: usize, out: &mut Vec<u8>) {
        let written = out.get(mark..).unwrap_or_default();
        if *self != Self::Drop && written == b"null" {
            return;
        }
        let hidden = match self {
            Self::Drop => return out.truncate(mark),
            Self::Mask => MASK.to_owned(),
            Self::KeepLast(count) => format!("{MASK}{}", last(written, usize::from(*count))),
            Self::Hash(key) => hash(key, &text_of(written)),
        };
        out.truncate(mark);
        text::write_json(Text { bytes: hidden.as_bytes(), escapes: Escapes::Possible }, out);
    }
}

/// Returns the characters of a string, or the JSON of any other value.
pub(super) fn text_of(json: &[u8]) -> Cow<'_, [u8]> {
    match json.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) {
        Some(text) if !text.contains(&b'\\') => text.into(),
        Some(_) => serde_json::from_slice::<String>(json).map_or(json.into(), |text| text.into_bytes().into()),
        None => json.into(),
    }
}

/// Returns the last `count` characters of a scalar that has at least twice as many. Otherwise returns nothing, since
/// they would reveal most of it.
fn last(json: &[u8], count: usize) -> String {
    if json.starts_with(b"{") || json.starts_with(b"[") {
        return String::new();
    }
    let text = text_of(json);
    let text = String::from_utf8_lossy(&text);
    match text.chars().count() {
        length if length >= 2 * count => text.chars().skip(length - count).collect(),
        _ => String::new(),
    }
}

fn hash(key: &HashKey, text: &[u8]) -> String {
    let mut mac = (*key.0).clone();
    mac.update(text);
    hex(&mac.finalize().into_bytes())
}
