use axum::body::Body;

use super::*;

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
}

const PLAIN: &str = "text/plain; charset=utf-8";

/// Microsoft Graph checks a webhook in this way. A body with this parameter in the query is still an event.
#[test]
fn a_challenge_in_a_post_without_a_body_is_returned() {
    let verification = Verification { challenge_parameter: Some("validationToken".to_owned()) };
    let post = |target: &str, body: &'static str| Request::post(target).body(Body::from(body)).unwrap();
    let answer = posted(&verification, &post("/x?validationToken=Validation%3A+it", "")).unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()[CONTENT_TYPE].as_bytes()), (200, PLAIN.as_bytes()));
    assert_eq!(answer.body().size_hint().exact(), Some("Validation: it".len() as u64));
    assert!(posted(&verification, &post("/x?validationToken=a", "event")).is_none());
    assert!(posted(&verification, &post("/x", "")).is_none());
    assert!(posted(&Verification::default(), &post("/x?validationToken=a", "")).is_none());
}
