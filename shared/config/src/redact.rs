//! Hides secrets when the config is shown (P7).

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde::ser::Serializer;

pub use options::is_public;

mod options;

/// The text shown in place of a secret.
const REDACTED: &str = "[redacted]";

/// Writes a section in its serialised form, in which secrets are redacted. For `Debug`.
///
/// # Errors
/// If the formatter fails.
pub fn debug(section: &impl Serialize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match serde_json::to_string(section) {
        Ok(json) => f.write_str(&json),
        Err(_) => f.write_str(REDACTED),
    }
}

/// Serialises `kafka.options`.
pub(super) fn options<S: Serializer>(options: &BTreeMap<String, String>, serializer: S) -> Result<S::Ok, S::Error> {
    let shown = |(key, value)| (key, if is_public(key) { value } else { REDACTED });
    serializer.collect_map(options.iter().map(|(key, value)| (key.as_str(), value.as_str())).map(shown))
}

/// Serialises addresses, separated by commas, without their users and passwords.
///
/// # Errors
/// If the serialiser fails.
pub fn addresses<S: Serializer>(addresses: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let shown: Vec<String> = addresses.split(',').map(without_user).collect();
    serializer.serialize_str(&shown.join(","))
}

/// Serialises optional [`addresses`].
///
/// # Errors
/// If the serialiser fails.
pub fn optional_addresses<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match text {
        Some(text) => addresses(text, serializer),
        None => serializer.serialize_none(),
    }
}

/// Returns `address` with everything between `//` and the last `@` redacted. Does not parse the URL, which may be
/// invalid: for example, if the password contains a slash.
pub fn without_user(address: &str) -> String {
    let start = address.find("//").map_or(0, |at| at + 2);
    let (scheme, rest) = address.split_at(start);
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}{REDACTED}@{host}"),
        None => address.to_owned(),
    }
}
