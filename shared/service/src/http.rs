//! Helpers for HTTP clients: forms to send, and answers of limited size.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, Url};
use serde::Deserialize;
use serde_json::Value;

use crate::causes::with_causes;

/// Returns `pairs` form-encoded (WHATWG URL, `application/x-www-form-urlencoded`).
pub fn form(pairs: &[(&str, &str)]) -> String {
    // Only the query of this address is used.
    let Ok(mut url) = Url::parse("http://form/") else {
        return String::new();
    };
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

/// Holds `expires_in` of an answer with a token: its lifetime in seconds (RFC 6749, section 5.1). Some servers write
/// the number as text, or with a fraction. `None` for any other value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Value")]
pub struct ExpiresIn(pub Option<u64>);

impl From<Value> for ExpiresIn {
    fn from(written: Value) -> Self {
        let number = match &written {
            Value::String(text) => text.trim().parse().ok(),
            Value::Number(number) => number.as_u64().or_else(|| number.as_f64().and_then(whole)),
            _ => None,
        };
        Self(number)
    }
}

/// Returns `seconds` without the fraction, or `None` for a negative value.
fn whole(seconds: f64) -> Option<u64> {
    // The cast turns a value that is too large into the maximum.
    (seconds >= 0.0).then_some(seconds as u64)
}

/// Sends requests to addresses that an operator configures: admin ports, a webhook. Follows no redirects.
pub struct Web(Client);

/// The most bytes of an answer.
const MAX_ANSWER: usize = 8 << 20;

impl Web {
    /// Creates a client whose requests may take up to `timeout`.
    ///
    /// # Errors
    /// A message, if the system's certificates cannot be used.
    pub fn new(timeout: Duration) -> Result<Self, String> {
        crate::tls::install_provider();
        let client = Client::builder().timeout(timeout).redirect(Policy::none()).build();
        client.map(Self).map_err(|error| with_causes(&error))
    }

    /// Sends a GET request to `url`. Returns the status of the answer, and its body as text.
    ///
    /// # Errors
    /// A message without the address, if there is no answer in time, or the answer exceeds 8 MiB.
    pub async fn get(&self, url: &str) -> Result<(u16, String), String> {
        Self::answer(self.0.get(url)).await
    }

    /// Posts `body` with `headers` to `url`. Returns the status of the answer, and its body as text.
    ///
    /// # Errors
    /// As for [`Web::get`]; also if a header cannot be sent.
    pub async fn post(&self, url: &str, headers: &[(String, String)], body: Vec<u8>) -> Result<(u16, String), String> {
        let request = headers.iter().fold(self.0.post(url), |request, (name, value)| request.header(name, value));
        Self::answer(request.body(body)).await
    }

    async fn answer(request: RequestBuilder) -> Result<(u16, String), String> {
        let send = async {
            let mut answer = request.send().await?;
            let text = body(&mut answer, MAX_ANSWER).await?;
            Ok((answer.status().as_u16(), text))
        };
        let (status, text) = send.await.map_err(|error: reqwest::Error| with_causes(&error.without_url()))?;
        let text = text.ok_or_else(|| format!("the answer has more than {MAX_ANSWER} bytes"))?;
        Ok((status, String::from_utf8_lossy(&text).into_owned()))
    }
}

/// Returns the whole body of `response`, or `None` if it exceeds `max` bytes.
///
/// # Errors
/// If the body breaks off.
pub async fn body(response: &mut Response, max: usize) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > max {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lifetime_may_be_a_number_a_fraction_or_text() {
        let read = |json: &str| serde_json::from_str::<ExpiresIn>(json).unwrap().0;
        for (json, seconds) in [("3599", 3_599), ("\"3599\"", 3_599), ("3599.9", 3_599), ("1e300", u64::MAX), ("0", 0)]
        {
            assert_eq!(read(json), Some(seconds), "{json}");
        }
        for json in ["-1", "null", "\"soon\"", "[]", "true"] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
