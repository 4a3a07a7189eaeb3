//! What stands in a document in the place of a value that a rule hides. A function of the value and the rule alone, so
//! that a replay writes the same bytes.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::hex_digits::hex;
use super::text::{self, Escapes, Text};

/// What stands for a value that is masked.
const MASK: &str = "***";

/// How a value is hidden. A null stays a null, unless it is dropped.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Hide {
    /// It is left out with its name.
    Drop,
    /// It is [`MASK`].
    Mask,
    /// It is [`MASK`] and its last characters, so many.
    KeepLast(u8),
    /// It is its HMAC-SHA-256 in hexadecimal digits.
    Hash(HashKey),
}

/// The key of the hashes. It never prints: with it, values can be guessed and compared with their hashes.
#[derive(Clone)]
pub(super) struct HashKey(Arc<Hmac<Sha256>>);

impl HashKey {
    pub(super) fn new(secret: &[u8]) -> Option<Self> {
        // It takes keys of any length.
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
        // In constant time.
        of(self) == of(other)
    }
}

impl Hide {
    /// Puts in the place of the JSON that stands in `out` from `mark` on what hides it.
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

/// Returns the last `count` characters of a value without parts that has at least twice as many; otherwise none: they
/// would be most of it.
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
