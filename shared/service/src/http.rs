//! What the HTTP clients here share: a form to send, and an answer that may be no larger than it should.

use reqwest::{Response, Url};

/// `pairs` form-encoded (WHATWG URL, `application/x-www-form-urlencoded`).
pub fn form(pairs: &[(&str, &str)]) -> String {
    // Only its query is looked at.
    let Ok(mut url) = Url::parse("http://form/") else {
        return String::new();
    };
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

/// Returns the whole body of `response`; none when it is over `max` bytes.
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
