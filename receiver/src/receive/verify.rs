//! How a vendor sees that a webhook is there, before it sends an event: by `GET` or `HEAD`, with or without a challenge that it wants to
//! read in the answer.

use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use config::Verification;

/// Bytes of a challenge, at most.
const MAX_CHALLENGE: usize = 1_024;

const NO_SNIFF: HeaderName = HeaderName::from_static("x-content-type-options");

/// The answer to a request for `uri`: the challenge where there is one, as text that no browser takes for anything else.
pub(super) fn answer(verification: &Verification, uri: &Uri) -> Response {
    let challenge = verification.challenge_parameter.as_deref().and_then(|name| parameter(uri, name));
    let text = challenge.filter(|text| text.len() <= MAX_CHALLENGE).unwrap_or_default();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    ([(CONTENT_TYPE, plain), (NO_SNIFF, HeaderValue::from_static("nosniff"))], text).into_response()
}

/// The value of this parameter of the query, decoded.
fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let mut url = reqwest::Url::parse("http://localhost/").ok()?;
    url.set_query(uri.query());
    let found = url.query_pairs().find(|(key, _)| key == name)?.1.into_owned();
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_the_decoded_value_of_its_parameter() {
        let uri = |text: &str| text.parse::<Uri>().unwrap();
        assert_eq!(parameter(&uri("/x?hub.mode=a&hub.challenge=1%202"), "hub.challenge").as_deref(), Some("1 2"));
        assert_eq!(parameter(&uri("/x?hub.mode=a"), "hub.challenge"), None);
        assert_eq!(parameter(&uri("/x"), "hub.challenge"), None);
    }
}
