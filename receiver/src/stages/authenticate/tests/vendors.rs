//! The signatures of vendors, by preset, and the headers that a signature covers. The examples come from the vendors'
//! documentation if it has any.

use serde_json::{Value, json};

use super::*;

fn auth(config: Value) -> Auth {
    serde_json::from_value(config).unwrap()
}

fn preset(name: &str, secret: &str) -> Auth {
    auth(json!({"type": "hmac", "preset": name, "secrets": [secret]}))
}

fn accepts(auth: &Auth, now: u64, headers: &[(&'static str, &str)], body: &[u8]) -> bool {
    check_at(now, &compile("test", auth).unwrap(), headers, body).is_ok()
}

#[test]
fn the_example_of_github_is_accepted() {
    let github = preset("github", "It's a Secret to Everybody");
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert!(accepts(&github, NOW, &[("x-hub-signature-256", signature)], b"Hello, World!"));
    assert!(!accepts(&github, NOW, &[("x-hub-signature-256", signature)], b"Hello, World"));
}

#[test]
fn the_example_of_slack_is_accepted() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let headers = [
        ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
        ("x-slack-request-timestamp", "1531420618"),
    ];
    let slack = preset("slack", "8f742231b10e8888abcd99yyyzzz85a5");
    assert!(accepts(&slack, 1_531_420_618, &headers, body.as_bytes()));
    assert!(!accepts(&slack, 1_531_420_618 + 301, &headers, body.as_bytes()));
}

#[test]
fn the_example_of_svix_is_accepted_with_either_family_of_headers() {
    let svix = preset("svix", "whsec_plJ3nmyCDGBKInavdOK15jsl");
    let body = br#"{"event_type":"ping","data":{"success":true}}"#;
    let values = ["msg_loFOjxBNrRLzqYUf", "1731705121", "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="];
    let families =
        [["svix-id", "svix-timestamp", "svix-signature"], ["webhook-id", "webhook-timestamp", "webhook-signature"]];
    for names in families {
        let headers: Vec<_> = names.into_iter().zip(values).collect();
        assert!(accepts(&svix, 1_731_705_121, &headers, body), "{names:?}");
    }
    let mixed = [(families[0][0], values[0]), (families[1][1], values[1]), (families[0][2], values[2])];
    assert!(!accepts(&svix, 1_731_705_121, &mixed, body), "headers of two families");
}

#[test]
fn stripe_signs_timestamp_and_body_in_one_header() {
    let secret = "whsec_of_stripe_is_used_as_it_stands";
    let stripe = preset("stripe", secret);
    let right = sign(secret, &[NOW.to_string().as_bytes(), b".", b"body"]);
    let old = sign("another secret of sixteen bytes", &[NOW.to_string().as_bytes(), b".", b"body"]);
    for value in [
        format!("t={NOW},v1={right}"),
        format!("t={NOW}, v1={old}, v1={right}, v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"),
        format!("v1={right},t={NOW}"),
    ] {
        assert!(accepts(&stripe, NOW, &[("stripe-signature", &value)], b"body"), "{value}");
    }
    for value in [
        format!("v1={right}"),
        format!("t={},v1={right}", NOW + 1),
        format!("t={NOW},t={NOW},v1={right}"),
        format!("t={NOW},v0={right}"),
        format!("t={NOW},v1={old}"),
        format!("t={NOW}"),
    ] {
        assert!(!accepts(&stripe, NOW, &[("stripe-signature", &value)], b"body"), "{value}");
    }
    assert!(!accepts(&stripe, NOW + 301, &[("stripe-signature", &format!("t={NOW},v1={right}"))], b"body"));
}

#[test]
fn shopify_signs_the_body_in_base64() {
    let shopify = preset("shopify", "hush-of-sixteen-bytes");
    let signature = STANDARD.encode(hex::decode(sign("hush-of-sixteen-bytes", &[b"body"])).unwrap());
    assert!(accepts(&shopify, NOW, &[("x-shopify-hmac-sha256", &signature)], b"body"));
    assert!(!accepts(&shopify, NOW, &[("x-shopify-hmac-sha256", &signature)], b"another"));
}

/// As `openssl dgst -sha256 -hmac` gives them.
#[test]
fn zoom_x_and_meta_are_known_by_their_presets() {
    let secret = "secret of sixteen bytes";
    let zoom = format!("v0={}", sign(secret, &[b"v0:", NOW.to_string().as_bytes(), b":body"]));
    let headers = [("x-zm-signature", zoom.as_str()), ("x-zm-request-timestamp", "1700000000")];
    assert!(accepts(&preset("zoom", secret), NOW, &headers, b"body"));
    assert!(!accepts(&preset("zoom", secret), NOW + 301, &headers, b"body"));
    let x = format!("sha256={}", STANDARD.encode(hex::decode(sign(secret, &[b"body"])).unwrap()));
    assert!(accepts(&preset("x", secret), NOW, &[("x-twitter-webhooks-signature", &x)], b"body"));
    let meta = format!("sha256={}", sign(secret, &[b"body"]));
    assert!(accepts(&preset("meta", secret), NOW, &[("x-hub-signature-256", &meta)], b"body"));
}

#[test]
fn several_signatures_may_be_in_one_header_or_several() {
    let auth = auth(json!({"type": "hmac", "header": "X-Signature", "prefix": "v1=", "secrets": ["new secret"]}));
    let (right, old) = (sign("new secret", &[b"body"]), sign("old secret", &[b"body"]));
    for value in [
        format!("v1={old},v1={right}"),
        format!("v1={right}, v1={old}"),
        format!("v1={old} v1={right}"),
        format!("v2=xyz;v1={right}"),
        format!("v1={old},{right}"),
    ] {
        assert!(accepts(&auth, NOW, &[("x-signature", &value)], b"body"), "{value}");
    }
    let (first, second) = (format!("v1={old}"), format!("v1={right}"));
    assert!(accepts(&auth, NOW, &[("x-signature", &first), ("x-signature", &second)], b"body"));
    assert!(!accepts(&auth, NOW, &[("x-signature", &first), ("x-signature", &first)], b"body"));
}

/// jackmusick/bifrost#726: `HaloPSA` writes a space after the prefix.
#[test]
fn a_space_between_prefix_and_signature_is_ignored() {
    let halo = preset("github", "secret of sixteen bytes");
    let right = sign("secret of sixteen bytes", &[b"body"]);
    for value in [format!("sha256= {right}"), format!("  sha256=  {}\t", right.to_uppercase())] {
        assert!(accepts(&halo, NOW, &[("x-hub-signature-256", &value)], b"body"), "{value}");
    }
    assert!(!accepts(&halo, NOW, &[("x-hub-signature-256", &right)], b"body"), "without the prefix");
}

/// A second that UTC has inserted, as a clock that shows it writes it (RFC 3339, section 5.7).
#[test]
fn a_timestamp_in_a_leap_second_is_accepted() {
    let auth = with_timestamp(hmac_auth(HmacAlgorithm::Sha256, HmacEncoding::Hex, "", &["secret"]));
    let time = "2016-12-31T23:59:60Z";
    let signature = sign("secret", &[time.as_bytes(), b".", b"body"]);
    let headers = [("x-signature", signature.as_str()), ("x-timestamp", time)];
    assert!(accepts(&auth, 1_483_228_800, &headers, b"body"));
}

#[test]
fn a_timestamp_may_be_in_any_unit_of_unix_time() {
    let auth = with_timestamp(hmac_auth(HmacAlgorithm::Sha256, HmacEncoding::Hex, "", &["secret"]));
    for digits in ["", "000", "999", "000000", "999999", "000000000", "999999999"] {
        for (seconds, accepted) in [(NOW, true), (NOW + 299, true), (NOW + 301, false), (NOW - 302, false)] {
            let time = format!("{seconds}{digits}");
            let signature = sign("secret", &[time.as_bytes(), b".", b"body"]);
            let headers = [("x-signature", signature.as_str()), ("x-timestamp", time.as_str())];
            assert_eq!(accepts(&auth, NOW, &headers, b"body"), accepted, "{time}");
        }
    }
    // With a fraction, the border between timestamp and body would be uncertain.
    for time in ["1700000000.5", "1700000000.", "1700000000,5", "-1700000000", "1.7e9", "99999999999999999999"] {
        let signature = sign("secret", &[time.as_bytes(), b".", b"body"]);
        let headers = [("x-signature", signature.as_str()), ("x-timestamp", time)];
        assert!(!accepts(&auth, NOW, &headers, b"body"), "{time}");
    }
}

/// As Zendesk, Twitch (with nanoseconds) and Box (with an offset) write them.
#[test]
fn a_timestamp_may_be_in_the_form_of_rfc_3339() {
    let auth = with_timestamp(hmac_auth(HmacAlgorithm::Sha256, HmacEncoding::Hex, "", &["secret"]));
    for (time, accepted) in [
        ("2023-11-14T22:13:20Z", true),
        ("2023-11-14T22:18:19.637747359Z", true),
        ("2023-11-14T15:13:20-07:00", true),
        ("2023-11-14T22:18:21Z", false),
        ("2023-11-14T22:08:19Z", false),
        ("2023-11-14T22:13:20", false),
        ("2023-11-14", false),
        ("1969-12-31T23:59:59Z", false),
        ("", false),
    ] {
        let signature = sign("secret", &[time.as_bytes(), b".", b"body"]);
        let headers = [("x-signature", signature.as_str()), ("x-timestamp", time)];
        assert_eq!(accepts(&auth, NOW, &headers, b"body"), accepted, "{time}");
        let other = [headers[0], ("x-timestamp", "1700000000")];
        assert!(!accepts(&auth, NOW, &other, b"body"), "the text is signed, not the time");
    }
}

#[test]
fn method_path_and_headers_can_be_signed() {
    let auth = auth(json!({
        "type": "hmac", "header": "X-Signature", "secrets": ["secret"],
        "signed": "{method} {path} {content_type} {header:X-Schema-Id} {body}",
    }));
    let signature = sign("secret", &[b"POST /webhook?a=b application/avro 7 ", b"body"]);
    let headers = [("x-signature", signature.as_str()), ("content-type", "application/avro"), ("x-schema-id", "7")];
    assert!(accepts(&auth, NOW, &headers, b"body"));
    assert!(!accepts(&auth, NOW, &headers[..2], b"body"), "without the schema id");
    let other = [headers[0], ("content-type", "avro/binary"), headers[2]];
    assert!(!accepts(&auth, NOW, &other, b"body"), "with another content type");
    let absent = sign("secret", &[b"POST /webhook?a=b   ", b"body"]);
    assert!(accepts(&auth, NOW, &[("x-signature", &absent)], b"body"), "what is absent is signed as empty");
    assert!(auth.covers("content-type") && auth.covers("x-schema-id"));
    assert!(!auth.covers("content-encoding") && !auth.covers("x-schema-version"));
}

#[test]
fn a_preset_needs_hmac_and_its_keys_can_be_overridden() {
    let refused = |config: Value| serde_json::from_value::<Auth>(config).unwrap_err().to_string();
    assert!(refused(json!({"type": "bearer", "preset": "github"})).contains("preset"));
    assert!(refused(json!({"type": "hmac", "preset": "svix", "header": "x"})).contains("header"));
    let both = json!({"type": "hmac", "header": "x", "timestamp_header": "y", "timestamp_prefix": "t="});
    assert!(refused(both).contains("timestamp_prefix"));
    let own = auth(json!({"type": "hmac", "preset": "github", "header": "X-Own", "secrets": ["secret"]}));
    let signature = format!("sha256={}", sign("secret", &[b"body"]));
    assert!(accepts(&own, NOW, &[("x-own", &signature)], b"body"));
}
