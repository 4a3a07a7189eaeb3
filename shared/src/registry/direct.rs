//! Questions to the registry that [`SchemaRegistry`](super::SchemaRegistry) has no call for, with the same time-outs, TLS and credentials.

use std::fmt;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};

use super::RegistrySetupError;
use super::address::split_user;
use super::credentials::Credentials;
use super::http::Http;
use crate::config;

/// A client of the first address of the registry. Keeps no answers.
pub struct Direct {
    client: Client,
    url: String,
    credentials: Credentials,
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Direct {
    /// For the registry of the config. Connects to nothing yet.
    ///
    /// # Errors
    /// When the address, a file or the credentials cannot be used.
    pub fn new(config: &config::SchemaRegistry) -> Result<Self, RegistrySetupError> {
        let (url, user) = split_user(config.url.split(',').next().unwrap_or_default().trim())?;
        let builder = Http::new(config)?.builder().timeout(config.timeout.max(Duration::from_millis(1)));
        let client = builder.build().map_err(|error| RegistrySetupError::new("url", error.to_string()))?;
        Ok(Self { client, url, credentials: Credentials::new(&config.auth, user)? })
    }

    /// The address, without user and password, for messages.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A request for `path`, which begins with `/`, with the credentials as they are now.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.credentials.authorize(self.client.request(method, format!("{}{path}", self.url)))
    }
}

/// `subject` as one segment of a path.
pub fn escape(subject: &str) -> String {
    let mut escaped = String::with_capacity(subject.len());
    for byte in subject.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}
