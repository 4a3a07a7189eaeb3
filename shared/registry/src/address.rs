//! The addresses of the registry, with the users that they may contain.

use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::RegistrySetupError;
use super::credentials::{Credentials, User};
use service::secret::Secret;

/// An address of the registry, and the credentials for it.
pub(super) struct Address {
    /// The address without user and password, for messages.
    pub(super) url: String,
    pub(super) credentials: Credentials,
}

/// Returns all addresses of the config, at least one, and their URLs separated by commas.
///
/// # Errors
/// If an address or the credentials cannot be used.
pub(super) fn all(config: &config::SchemaRegistry) -> Result<(Vec<Address>, String), RegistrySetupError> {
    let mut addresses = Vec::new();
    for text in config.url.split(',') {
        let (url, user) = split_user(text.trim())?;
        addresses.push(Address { url, credentials: Credentials::new(&config.auth, user)? });
    }
    let urls: Vec<&str> = addresses.iter().map(|address| address.url.as_str()).collect();
    let urls = urls.join(", ");
    Ok((addresses, urls))
}

/// Returns the address without user and password, which must not appear in messages, and the user.
fn split_user(address: &str) -> Result<(String, Option<User>), RegistrySetupError> {
    let mut url = Url::parse(address).map_err(|error| RegistrySetupError::new("url", format!("not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(RegistrySetupError::new("url", "it must start with http:// or https://"));
    }
    let user = (!url.username().is_empty())
        .then(|| (unescape(url.username()), Secret::new(unescape(url.password().unwrap_or_default()))));
    // Every http URL has a place for both.
    let _set = (url.set_username(""), url.set_password(None));
    Ok((url.as_str().trim_end_matches('/').to_owned(), user))
}

/// Returns `text` with `%xx` decoded (RFC 3986, section 2.1).
fn unescape(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
