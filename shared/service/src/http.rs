//! What the HTTP clients here share: a form to send, and an answer that may be no larger than it should.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, Url};

use crate::causes::with_causes;

/// `pairs` form-encoded (WHATWG URL, `application/x-www-form-urlencoded`).
pub fn form(pairs: &[(&str, &str)]) -> String {
    // Only its query is looked at.
    let Ok(mut url) = Url::parse("http://form/") else {
        return String::new();
    };
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

/// A client for addresses that an operator gives: admin ports, a webhook. It follows no redirects.
pub struct Web(Client);

/// Bytes of an answer.
const MAX_ANSWER: usize = 8 << 20;

impl Web {
    /// Creates a client whose requests may take up to `timeout`.
    ///
    /// # Errors
    /// In words, when the system's certificates cannot be used.
    pub fn new(timeout: Duration) -> Result<Self, String> {
        crate::tls::install_provider();
        let client = Client::builder().timeout(timeout).redirect(Policy::none()).build();
        client.map(Self).map_err(|error| with_causes(&error))
    }

    /// Asks for `url`; gives the status of the answer and its body as text.
    ///
    /// # Errors
    /// In words without the address, when there is no answer in time, or one of more than 8 MiB.
    pub async fn get(&self, url: &str) -> Result<(u16, String), String> {
        Self::answer(self.0.get(url)).await
    }

    /// Posts `body` with `headers` to `url`; gives the status of the answer and its body as text.
    ///
    /// # Errors
    /// As [`Web::get`]; also when a header cannot be sent.
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

/// The whole body of `response`; none when it is over `max` bytes.
///
/// # Errors
/// When it breaks off.
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
