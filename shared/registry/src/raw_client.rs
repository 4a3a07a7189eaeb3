//! Requests that [`SchemaRegistry`](super::SchemaRegistry) does not support, with the same time-outs, TLS and
//! credentials.

use std::fmt;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, RequestBuilder, Response};
use service::causes::with_causes;

use super::RegistrySetupError;
use super::address::{self, Address};
use super::http::Http;

/// A client of the registry without a cache.
pub struct RawClient {
    client: Client,
    first: Address,
    others: Vec<Address>,
    urls: String,
}

impl fmt::Debug for RawClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawClient").field("urls", &self.urls).finish_non_exhaustive()
    }
}

impl RawClient {
    /// Creates a client for the registry of the config. Does not connect yet.
    ///
    /// # Errors
    /// If an address, a file or the credentials cannot be used.
    pub fn new(config: &config::SchemaRegistry) -> Result<Self, RegistrySetupError> {
        let (addresses, urls) = address::all(config)?;
        let mut addresses = addresses.into_iter();
        let Some(first) = addresses.next() else {
            return Err(RegistrySetupError::new("url", "it names no address"));
        };
        let builder = Http::new(config)?.builder().timeout(config.timeout.max(Duration::from_millis(1)));
        let client = builder.build().map_err(|error| RegistrySetupError::new("url", error.to_string()))?;
        Ok(Self { client, first, others: addresses.collect(), urls })
    }

    /// Returns the addresses, without user and password, for messages.
    pub fn urls(&self) -> &str {
        &self.urls
    }

    /// Sends a GET request for `path`, which begins with `/`. Returns the status of the answer.
    ///
    /// # Errors
    /// The error of the last address, without the address, if no address answers.
    pub async fn get(&self, path: &str) -> Result<u16, String> {
        let answer = self.send(Method::GET, path, |request| request).await;
        answer.map(|answer| answer.status().as_u16()).map_err(|error| with_causes(&error.without_url()))
    }

    /// Sends a request for `path`, which begins with `/`, with the current credentials and the additions of `finish`,
    /// to one address after another until one answers.
    ///
    /// # Errors
    /// The error of the last address, if no address answers.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        finish: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, reqwest::Error> {
        let attempt = |address: &Address| {
            let request = self.client.request(method.clone(), format!("{}{path}", address.url));
            finish(address.credentials.authorize(request)).send()
        };
        let mut answer = attempt(&self.first).await;
        for address in &self.others {
            if answer.is_ok() {
                break;
            }
            answer = attempt(address).await;
        }
        answer
    }
}

/// All characters except the unreserved ones of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Escapes `subject` as one segment of a path.
pub fn escape(subject: &str) -> String {
    utf8_percent_encode(subject, RESERVED).to_string()
}
