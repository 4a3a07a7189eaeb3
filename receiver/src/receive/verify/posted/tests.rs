use PostedChallenge::{AwsSns, EventGrid, Slack, Zoom};

use super::*;

fn of(challenge: PostedChallenge, body: &str) -> Option<Wanted> {
    wanted(challenge, body.as_bytes())
}

/// Each vendor's own example.
const ZOOM: &str = r#"{"payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}, "event_ts": 1654503849680,
    "event": "endpoint.url_validation"}"#;
const SLACK: &str = r#"{"token": "Jhj5dZrVaK7ZwHHjRyZWjbDl",
    "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P", "type": "url_verification"}"#;
const EVENT_GRID: &str = r#"[{"id": "2d1781af-3a4c-4d7c-bd0c-e34b19da4e66", "topic": "/subscriptions/x", "subject": "",
    "data": {"validationCode": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6", "validationUrl": "https://rp-eastus2"},
    "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "eventTime": "2018-01-25T22:12:19.4556811Z",
    "metadataVersion": "1", "dataVersion": "1"}]"#;
const SNS: &str = r#"{"Type": "SubscriptionConfirmation", "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
    "Token": "2336412f37", "TopicArn": "arn:aws:sns:us-west-2:123456789012:MyTopic", "Message": "You have chosen to
 subscribe", "SubscribeURL": "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37",
    "Timestamp": "2012-04-26T20:45:04.751Z", "SignatureVersion": "1", "Signature": "EXAMPLE"}"#;

#[test]
fn the_example_of_each_vendor_is_understood_and_that_of_no_other() {
    let all = [
        (Zoom, ZOOM.to_owned(), Wanted::Hashed("qgg8vlvZRS6UYooatFL8Aw".to_owned())),
        (Slack, SLACK.to_owned(), Wanted::Text("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P".to_owned())),
        (EventGrid, EVENT_GRID.to_owned(), Wanted::Code("512d38b6-c7b8-40c8-89fe-f46f9e9622b6".to_owned())),
        (
            AwsSns,
            SNS.replace('\n', " "),
            Wanted::Visit(
                "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37".to_owned(),
            ),
        ),
    ];
    for (challenge, _, expected) in &all {
        for (of_whom, body, _) in &all {
            let found = of(*challenge, body);
            assert_eq!(found.as_ref(), (challenge == of_whom).then_some(expected), "{challenge:?} {of_whom:?}");
        }
    }
}

#[test]
fn what_is_no_challenge_is_an_event() {
    for body in [
        "",
        "\x02\x04e1\x06amy",
        "null",
        "{}",
        "[]",
        r#"{"type": "event_callback", "challenge": "a"}"#,
        r#"{"type": "url_verification"}"#,
        r#"{"type": "url_verification", "challenge": 1}"#,
        r#"{"type": {"a": 1}, "challenge": "a"}"#,
        r#"{"type": "url_verification", "challenge": "a"} x"#,
        r#"{"type": "url_verification", "challenge": "a""#,
    ] {
        assert_eq!(of(Slack, body), None, "{body}");
    }
    let challenge = |len: usize| format!(r#"{{"type": "url_verification", "challenge": "{}"}}"#, "a".repeat(len));
    assert_eq!(of(Slack, &challenge(MAX_CHALLENGE)), Some(Wanted::Text("a".repeat(MAX_CHALLENGE))));
    assert_eq!(of(Slack, &challenge(MAX_CHALLENGE + 1)), None);
    assert_eq!(of(Slack, &format!("{}{}", challenge(1), " ".repeat(MAX_BODY))), None);
    assert_eq!(of(Slack, &"[".repeat(MAX_BODY)), None);
}

#[test]
fn an_operator_is_sent_to_amazon_alone() {
    let of = |url: &str| is_of_sns(url);
    assert!(of("https://sns.eu-central-1.amazonaws.com/?a=b"));
    assert!(of("https://sns.cn-north-1.amazonaws.com.cn/?a=b"));
    for url in [
        "http://sns.eu-central-1.amazonaws.com/",
        "https://sns.eu-central-1.amazonaws.com.evil.example/",
        "https://evil.example/sns.eu-central-1.amazonaws.com",
        "https://sns.evil.s3.amazonaws.com/",
        "https://bucket.s3.amazonaws.com/",
        "https://user:password@sns.eu-central-1.amazonaws.com/",
        "https://sns.eu-central-1.amazonaws.com:8443/",
        "https://sns.eu-central-1.amazonaws.com/\n",
        "sns.eu-central-1.amazonaws.com",
    ] {
        assert!(!of(url), "{url}");
    }
}
