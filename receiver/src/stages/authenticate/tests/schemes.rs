//! Tests of Basic, Standard Webhooks, and the configurable signed text of an HMAC.

use super::*;

fn basic(users: &[&str]) -> Auth {
    Auth::Basic { credentials: users.iter().copied().map(Secret::new).collect(), credentials_file: None }
}

#[test]
fn only_a_known_user_with_the_right_password_is_accepted() {
    let auth = basic(&["Aladdin:open sesame", "test:123£"]);
    // The examples of RFC 7617, sections 2 and 2.1.
    for right in ["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "basic dGVzdDoxMjPCow=="] {
        assert_eq!(check(&auth, &[("authorization", right)], b""), Ok(()), "{right}");
    }
    for wrong in ["Basic QWxhZGRpbjpvcGVuIHNlc2Ft", "Basic QWxhZGRpbjo=", "Basic !", "Basic ", "Bearer QWxhZGRpbjo="] {
        assert_eq!(check(&auth, &[("authorization", wrong)], b""), Err(Refused::Unauthorized), "{wrong}");
    }
}

/// psf/requests#4564, jetty/jetty.project#5845, nextcloud/server#1731: many clients send ISO 8859-1.
/// ClickHouse/ClickHouse#98392, mountain-loop/yaak#77: some leave out the padding.
#[test]
fn a_password_may_be_sent_in_each_form_in_use() {
    let auth = basic(&["test:123£", "user:a:b"]);
    let header = |text: &[u8]| format!("Basic {}", STANDARD.encode(text));
    for right in [header(b"test:123\xa3"), "Basic dGVzdDoxMjPCow".to_owned(), header(b"user:a:b")] {
        assert_eq!(check(&auth, &[("authorization", right.as_str())], b""), Ok(()), "{right}");
    }
    for wrong in [header(b"test:123\xa4"), header("test:123Â£".as_bytes()), header(b"test:123\xc2"), header(b"user:a")]
    {
        assert_eq!(check(&auth, &[("authorization", wrong.as_str())], b""), Err(Refused::Unauthorized), "{wrong}");
    }
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: (&str, &str) = ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek");
const TIME: u64 = 1_614_265_330;
const TIMESTAMP: (&str, &str) = ("webhook-timestamp", "1614265330");
const BODY: &[u8] = br#"{"test": 2432232314}"#;
/// The example of the specification's own libraries.
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn standard_webhooks(secrets: &[&str]) -> Authenticator {
    let auth = Auth::StandardWebhooks {
        trusted_headers: Vec::new(),
        tolerance: Duration::from_secs(300),
        replay_capacity: 100,
        secrets: secrets.iter().copied().map(Secret::new).collect(),
        secrets_file: None,
    };
    compile("test", &auth).unwrap()
}

fn signature(value: &str) -> [(&'static str, &str); 3] {
    [ID, TIMESTAMP, ("webhook-signature", value)]
}

#[test]
fn the_example_of_standard_webhooks_is_accepted() {
    let rotating = format!("v1,{} {SIGNATURE} v1a,abc v2,xyz", "A".repeat(43) + "=");
    let bare = SECRET.trim_start_matches("whsec_");
    for (secrets, value) in [
        (vec![SECRET], SIGNATURE),
        (vec![bare], SIGNATURE),
        (vec!["whsec_dGhlIG9sZCBzZWNyZXQ=", SECRET], SIGNATURE),
        (vec![SECRET], rotating.as_str()),
    ] {
        assert!(check_at(TIME, &standard_webhooks(&secrets), &signature(value), BODY).is_ok(), "{value}");
    }
}

#[test]
fn a_signature_that_violates_standard_webhooks_is_refused() {
    let webhooks = standard_webhooks(&[SECRET]);
    let refused = |time, headers: &[(&'static str, &str)], body| check_at(time, &webhooks, headers, body).is_err();
    for value in ["", "v1", "v1,", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", &SIGNATURE[3..]] {
        assert!(refused(TIME, &signature(value), BODY), "{value}");
    }
    assert!(refused(TIME + 301, &signature(SIGNATURE), BODY));
    assert!(refused(TIME - 301, &signature(SIGNATURE), BODY));
    assert!(refused(TIME, &signature(SIGNATURE), b"{}"));
    assert!(refused(TIME, &signature(SIGNATURE)[1..], BODY));
    assert!(refused(TIME, &[("webhook-id", "another"), TIMESTAMP, ("webhook-signature", SIGNATURE)], BODY));
    assert!(refused(TIME, &[ID, ("webhook-timestamp", "1614265331"), ("webhook-signature", SIGNATURE)], BODY));
}

#[test]
fn a_standard_webhooks_secret_must_be_base64() {
    let auth = Auth::StandardWebhooks {
        trusted_headers: Vec::new(),
        tolerance: Duration::from_secs(1),
        replay_capacity: 0,
        secrets: vec![Secret::new("whsec_%%%")],
        secrets_file: None,
    };
    let error = compile("cxone", &auth).err().unwrap().to_string();
    assert!(error.starts_with("receiver.sources.cxone.auth.secrets:") && !error.contains('%'), "{error}");
}

fn signed(template: &str, with_timestamp: bool) -> Auth {
    Auth::Hmac {
        header: "X-Slack-Signature".to_owned(),
        algorithm: HmacAlgorithm::Sha256,
        encoding: HmacEncoding::Hex,
        prefix: "v0=".to_owned(),
        timestamp_prefix: None,
        trusted_headers: Vec::new(),
        timestamp_header: with_timestamp.then(|| "X-Slack-Request-Timestamp".to_owned()),
        signed: Some(template.to_owned()),
        tolerance: Duration::from_secs(300),
        replay_capacity: 100,
        secrets: vec![Secret::new("8f742231b10e8888abcd99yyyzzz85a5")],
        secrets_file: None,
    }
}

/// The example in Slack's documentation, which signs `v0:<timestamp>:<body>`.
#[test]
fn the_signed_text_can_be_configured() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let headers = [
        ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
        ("x-slack-request-timestamp", "1531420618"),
    ];
    let slack = compile("test", &signed("v0:{timestamp}:{body}", true)).unwrap();
    assert!(check_at(1_531_420_618, &slack, &headers, body.as_bytes()).is_ok());
    let other = compile("test", &signed("v1:{timestamp}:{body}", true)).unwrap();
    assert!(check_at(1_531_420_618, &other, &headers, body.as_bytes()).is_err());
}

#[test]
fn the_parts_are_signed_in_the_order_of_the_template() {
    let secret = "8f742231b10e8888abcd99yyyzzz85a5";
    let time = NOW.to_string();
    for (template, parts) in [
        ("<{body}|{timestamp}>", [b"<".as_slice(), b"body", b"|", time.as_bytes(), b">"]),
        ("{timestamp}{body}", [time.as_bytes(), b"body", b"", b"", b""]),
    ] {
        let signature = format!("v0={}", sign(secret, &parts));
        let headers = [("x-slack-signature", signature.as_str()), ("x-slack-request-timestamp", &time)];
        assert_eq!(check(&signed(template, true), &headers, b"body"), Ok(()), "{template}");
    }
}

#[test]
fn the_signed_text_must_hold_the_body_and_the_timestamp() {
    for (template, with_timestamp) in [
        ("{timestamp}", true),
        ("{body}", true),
        ("{timestamp}{timestamp}{body}", true),
        ("{timestamp}{body}{timestamp}", true),
        ("{timestamp}.{body}.{body}", true),
        ("{timestamp}.{body}", false),
        ("", false),
    ] {
        let compiled = compile("test", &signed(template, with_timestamp));
        assert!(matches!(compiled, Err(AuthError::Signed { .. })), "{template}");
    }
}
