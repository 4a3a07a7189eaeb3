use axum::body::Body;
use axum::http::StatusCode;
use futures::FutureExt;
use service::secret::Secret;

use super::*;
use crate::stages::authenticate::Digests;

#[test]
fn a_challenge_is_the_decoded_value_of_its_parameter() {
    let uri = |text: &str| text.parse::<Uri>().unwrap();
    assert_eq!(parameter(&uri("/x?hub.mode=a&hub.challenge=1%202"), "hub.challenge").as_deref(), Some("1 2"));
    assert_eq!(parameter(&uri("/x?hub.mode=a"), "hub.challenge"), None);
    assert_eq!(parameter(&uri("/x"), "hub.challenge"), None);
}

#[test]
fn a_sender_that_asks_for_permission_gets_it() {
    let mut head = HeaderMap::new();
    assert!(!options(&head).headers().contains_key(ALLOWED_ORIGIN));
    head.insert(REQUEST_ORIGIN, HeaderValue::from_static("eventgrid.azure.net"));
    let answer = options(&head);
    assert_eq!(answer.headers()[ALLOWED_ORIGIN], "eventgrid.azure.net");
    assert_eq!(answer.headers()[ALLOWED_RATE], "*");
    assert_eq!(answer.headers()[ALLOW], "GET, HEAD, OPTIONS, POST");
    head.insert(REQUEST_ORIGIN, HeaderValue::from_str(&"o".repeat(MAX_CHALLENGE + 1)).unwrap());
    assert!(!options(&head).headers().contains_key(ALLOWED_ORIGIN));
}

const PLAIN: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// Microsoft Graph checks a webhook in this way. A body with this parameter in the query is still an event.
#[test]
fn a_challenge_in_a_post_without_a_body_is_returned() {
    let graph = Challenge::Parameter("validationToken".to_owned());
    let post = |target: &str, body: &'static str| Request::post(target).body(Body::from(body)).unwrap();
    let answer = bodiless(&graph, &post("/x?validationToken=Validation%3A+it", "")).unwrap();
    assert_eq!(read(answer), (StatusCode::OK, PLAIN.to_owned(), "Validation: it".to_owned()));
    assert!(bodiless(&graph, &post("/x?validationToken=a", "event")).is_none());
    assert!(bodiless(&graph, &post("/x", "")).is_none());
    assert!(bodiless(&graph, &post(&format!("/x?validationToken={}", "a".repeat(1_025)), "")).is_none());
    assert!(bodiless(&Challenge::None, &post("/x?validationToken=a", "")).is_none());
}

/// Returns status, type and text of an answer.
fn read(answer: Response) -> (StatusCode, String, String) {
    let (head, body) = answer.into_parts();
    assert_eq!(head.headers[NO_SNIFF], "nosniff");
    let media_type = head.headers[CONTENT_TYPE].to_str().unwrap().to_owned();
    let body = axum::body::to_bytes(body, 1 << 20).now_or_never().unwrap().unwrap();
    (head.status, media_type, String::from_utf8(body.to_vec()).unwrap())
}

/// Returns the answer to a `GET`: its type and text.
fn asked(challenge: &Challenge, target: &str, headers: &[(&str, &str)]) -> Option<(String, String)> {
    let mut request = axum::http::Request::get(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, ()) = request.body(()).unwrap().into_parts();
    let hash = |text: &[u8]| {
        use hmac::{KeyInit, Mac};
        let mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(b"consumer secret of X").unwrap();
        Some(mac.chain_update(text).finalize().into_bytes().into())
    };
    let (status, media_type, text) = read(answer(challenge, &head, hash).ok()?);
    assert_eq!(status, StatusCode::OK);
    Some((media_type, text))
}

fn with(media_type: &str, text: &str) -> Option<(String, String)> {
    Some((media_type.to_owned(), text.to_owned()))
}

/// The example of Okta's "One-time verification request".
#[test]
fn okta_reads_its_header_in_json() {
    let header = "x-okta-verification-challenge";
    let with_header = |value: &str| asked(&Challenge::Okta, "/x", &[(header, value)]);
    assert_eq!(with_header("my verification challenge"), with(JSON, r#"{"verification":"my verification challenge"}"#));
    assert_eq!(with_header(r#""}<script>\"#), with(JSON, r#"{"verification":"\"}<script>\\"}"#));
    assert_eq!(with_header(&"a".repeat(MAX_CHALLENGE + 1)), with(PLAIN, ""), "too long");
    assert_eq!(asked(&Challenge::Okta, "/x", &[]), with(PLAIN, ""), "a look at the status alone");
}

/// The expected hash is from `openssl dgst -sha256 -hmac`. Other text is not hashed, because its hash would be the
/// signature of an event.
#[test]
fn x_reads_the_hash_of_its_token() {
    let asked = |token: &str| asked(&Challenge::X, &format!("/x?nonce=1&crc_token={token}"), &[]);
    let wanted = r#"{"response_token":"sha256=H2hGSvmNK/mlaSsFK06i7npaKf5iIaSXxkMeKMLSCio="}"#;
    assert_eq!(asked("9b4507b3-9040-4669-9ca3-6b94edb50553"), with(JSON, wanted));
    for other in ["", "%7B%22a%22:1%7D", "%00abc", "a%20b", &"a".repeat(MAX_CRC_TOKEN + 1)] {
        assert_eq!(asked(other), with(PLAIN, ""), "{other}");
    }
}

/// The example of Meta's "Getting Started" with webhooks.
#[test]
fn meta_reads_its_challenge_if_it_knows_the_token() {
    let meta = Challenge::Meta(Digests::new(&[Secret::new("meatyhamhock")]));
    let good = "/webhooks?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock";
    assert_eq!(asked(&meta, good, &[]), with(PLAIN, "1158201444"));
    assert_eq!(asked(&meta, "/webhooks", &[]), with(PLAIN, ""));
    for bad in ["", "&hub.verify_token=", "&hub.verify_token=meatyhamhoc", "&hub.verify_token=Meatyhamhock"] {
        assert_eq!(asked(&meta, &format!("/webhooks?hub.challenge=1{bad}"), &[]), None, "{bad}");
    }
}
