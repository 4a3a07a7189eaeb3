use super::*;

#[test]
fn a_challenge_is_the_decoded_value_of_its_parameter() {
    let uri = |text: &str| text.parse::<Uri>().unwrap();
    assert_eq!(parameter(&uri("/x?hub.mode=a&hub.challenge=1%202"), "hub.challenge").as_deref(), Some("1 2"));
    assert_eq!(parameter(&uri("/x?hub.mode=a"), "hub.challenge"), None);
    assert_eq!(parameter(&uri("/x"), "hub.challenge"), None);
}

#[test]
fn a_sender_that_asks_for_permission_has_it() {
    let mut head = HeaderMap::new();
    assert!(!options(&head).headers().contains_key(ALLOWED_ORIGIN));
    head.insert(REQUEST_ORIGIN, HeaderValue::from_static("eventgrid.azure.net"));
    let answer = options(&head);
    assert_eq!(answer.headers()[ALLOWED_ORIGIN], "eventgrid.azure.net");
    assert_eq!(answer.headers()[ALLOWED_RATE], "*");
    assert_eq!(answer.headers()[ALLOW], "GET, HEAD, OPTIONS, POST");
}
