//! Challenges of vendors in a body, whose signature counts as that of an event does.

use hmac::{KeyInit, Mac};
use serde_json::from_value;

use super::*;

const SECRET: &str = "the secret that the vendor signs with";

fn hash(parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// A receiver with a source for this vendor, which signs by the preset of its name.
async fn start_for(vendor: &str) -> Receiver {
    let kafka = kafka();
    let mut config = config(&kafka, &registry(Some(())).await);
    let secrets = ["another secret of sixteen bytes", SECRET];
    let auth = from_value(json!({"type": "hmac", "preset": vendor, "secrets": secrets})).unwrap();
    let verification = from_value(json!({"challenge": vendor})).unwrap();
    let limits = Limits::default();
    let source = crate::config::Source { verification: Some(verification), limits, ..source("/vendor", auth) };
    config.receiver.sources.insert("vendor".to_owned(), source);
    let receiver = start_with(&config, kafka);
    eventually(|| receiver.readiness.is_ready()).await;
    receiver
}

/// Returns a request as Zoom and Slack sign it.
fn signed(header: &str, time_header: &str, body: &str) -> Request {
    let now = SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().to_string();
    let signature = hex::encode(hash(&[b"v0:", now.as_bytes(), b":", body.as_bytes()]));
    let headers =
        [(header, format!("v0={signature}")), (time_header, now), ("content-type", "application/json".to_owned())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    post("/vendor", &headers, body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn zoom_reads_its_token_and_the_hash_of_it_by_the_secret_that_it_signs_with() {
    let receiver = start_for("zoom").await;
    let body = r#"{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1,"event":"endpoint.url_validation"}"#;
    let answer = receiver.send(signed("x-zm-signature", "x-zm-request-timestamp", body)).await;
    let encrypted = hex::encode(hash(&[b"qgg8vlvZRS6UYooatFL8Aw"]));
    let expected = json!({"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": encrypted});
    assert_eq!((answer.status, answer.body), (200, expected));
    assert_eq!(answer.headers["content-type"], "application/json");
    let unsigned = receiver.send(post("/vendor", &[("content-type", "application/json")], body)).await;
    assert_eq!(unsigned.status, 401);
    let forged = [("x-zm-signature", "v0=00"), ("x-zm-request-timestamp", "1")];
    assert_eq!(receiver.send(post("/vendor", &forged, body)).await.status, 401);
    // Another event is none for us.
    let other =
        receiver.send(signed("x-zm-signature", "x-zm-request-timestamp", "{\"event\":\"meeting.started\"}")).await;
    assert_eq!(other.status, 415);
    assert!(receiver.records().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_reads_its_challenge_if_it_has_signed_it() {
    let receiver = start_for("slack").await;
    let body = r#"{"token":"a","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmd","type":"url_verification"}"#;
    let request = signed("x-slack-signature", "x-slack-request-timestamp", body);
    let (head, answer) = receiver.router.clone().oneshot(request).await.unwrap().into_parts();
    let text = axum::body::to_bytes(answer, 100_000).await.unwrap();
    assert_eq!((head.status.as_u16(), &text[..]), (200, &b"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmd"[..]));
    assert_eq!(head.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(receiver.send(post("/vendor", &[], body)).await.status, 401);
}

/// Whoever asks has the hash of X's token, which is the signature of a body of the same text.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_posts_an_event_by_the_answer_to_x() {
    use base64::Engine;
    let receiver = start_for("x").await;
    // A datum of two strings, of 49 and 24 letters.
    let datum = format!("b{}0{}", "e".repeat(49), "a".repeat(24));
    let asked = Request::get(format!("/vendor?crc_token={datum}")).body(Body::empty()).unwrap();
    // The first secret answers.
    let answer = receiver.send(asked).await;
    let response_token = answer.body["response_token"].as_str().unwrap().to_owned();
    assert_eq!(answer.status, 200);
    let headers = [("x-twitter-webhooks-signature", response_token.as_str())];
    assert_eq!(receiver.send(post("/vendor", &headers, datum)).await.status, 401);
    // An event that is no token is accepted.
    let value = base64::engine::general_purpose::STANDARD.encode(hash(&[DATUM]));
    let signature = format!("sha256={value}");
    let headers = [("x-twitter-webhooks-signature", signature.as_str())];
    assert_eq!(receiver.send(post("/vendor", &headers, DATUM)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_of_amazon_is_left_to_the_operator() {
    let kafka = kafka();
    let mut config = config(&kafka, &registry(Some(())).await);
    let verification = Some(from_value(json!({"challenge": "aws_sns"})).unwrap());
    let source =
        crate::config::Source { verification, limits: Limits::default(), ..config.receiver.sources["closed"].clone() };
    config.receiver.sources.insert("closed".to_owned(), source);
    let receiver = start_with(&config, kafka);
    eventually(|| receiver.readiness.is_ready()).await;
    let post = |url: &str, token: &str| {
        let body = json!({"Type": "SubscriptionConfirmation", "SubscribeURL": url}).to_string();
        let token = format!("Bearer {token}");
        post("/closed", &[("authorization", &token), ("content-type", "text/plain; charset=UTF-8")], body)
    };
    let url = "https://sns.us-west-2.amazonaws.com/?Token=1";
    assert_eq!(receiver.send(post(url, "token-of-the-test")).await.status, 200);
    assert_eq!(receiver.send(post(url, "another")).await.status, 401);
    assert_eq!(receiver.send(post("https://evil.example/", "token-of-the-test")).await.status, 415);
}
