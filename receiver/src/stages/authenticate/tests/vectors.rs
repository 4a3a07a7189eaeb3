//! The cases that the libraries of Standard Webhooks test (standard-webhooks/standard-webhooks, `libraries/`: JavaScript,
//! Python, PHP, Go, Java, Elixir, C#), and secrets as users reported them.

use super::*;
use crate::config::standard_webhooks_key;

const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const BODY: &[u8] = br#"{"test": 2432232314}"#;
/// A well-formed signature of something else.
const OTHER: &str = "Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";

fn auth(secrets: &[&str]) -> Auth {
    Auth::StandardWebhooks {
        trusted_headers: Vec::new(),
        tolerance: Duration::from_secs(300),
        replay_capacity: 100,
        secrets: secrets.iter().copied().map(Secret::new).collect(),
        secrets_file: None,
    }
}

/// Returns the signature that a sender with this key writes.
fn signature(key: &[u8], timestamp: &str, body: &[u8]) -> String {
    let mut mac = ::hmac::Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    let parts: [&[u8]; 5] = [ID.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    parts.into_iter().for_each(|part| mac.update(part));
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

fn dated<'t>(timestamp: &'t str, value: &'t str) -> Vec<(&'static str, &'t str)> {
    vec![("webhook-id", ID), ("webhook-timestamp", timestamp), ("webhook-signature", value)]
}

#[test]
fn cases_of_the_libraries_of_standard_webhooks_have_their_outcome() {
    let key = STANDARD.decode(SECRET).unwrap();
    let signed = |timestamp: &str| (timestamp.to_owned(), signature(&key, timestamp, BODY));
    let (now, right) = signed(&NOW.to_string());
    let several = format!("v1,{OTHER} v2,{OTHER} {right} v1,{OTHER}");
    let of_pair = format!("v1a,{OTHER} {right}");
    let (old, of_old) = signed(&(NOW - 301).to_string());
    let (new, of_new) = signed(&(NOW + 301).to_string());
    let (float, of_float) = signed("1700000000.5");
    let (negative, of_negative) = signed("-1700000000");
    let (text, of_text) = signed("hello");
    let (id, time) = (("webhook-id", ID), ("webhook-timestamp", now.as_str()));
    let branded = vec![("svix-id", ID), ("svix-timestamp", now.as_str()), ("svix-signature", right.as_str())];
    for (case, accepted, headers) in [
        ("valid signature", true, dated(&now, &right)),
        ("branded headers", true, branded),
        ("several signatures", true, dated(&now, &several)),
        ("several signatures of a key pair", true, dated(&now, &of_pair)),
        ("missing id", false, vec![time, ("webhook-signature", right.as_str())]),
        ("missing timestamp", false, vec![id, ("webhook-signature", right.as_str())]),
        ("missing signature", false, vec![id, time]),
        ("invalid signature", false, dated(&now, "v1,dawfeoifkpqwoekfpqoekf")),
        ("partial signature", false, dated(&now, &right[..8])),
        ("empty signature", false, dated(&now, "v1,")),
        ("another signature", false, dated(&now, &format!("v1,{OTHER}"))),
        ("old timestamp", false, dated(&old, &of_old)),
        ("new timestamp", false, dated(&new, &of_new)),
        ("float timestamp", false, dated(&float, &of_float)),
        ("negative timestamp", false, dated(&negative, &of_negative)),
        ("timestamp that is not a number", false, dated(&text, &of_text)),
    ] {
        for secret in [SECRET, format!("whsec_{SECRET}").as_str()] {
            let webhooks = compile("test", &auth(&[secret])).unwrap();
            assert_eq!(check_at(NOW, &webhooks, &headers, BODY).is_ok(), accepted, "{case}");
        }
    }
    let empty = signature(&key, &now, b"");
    assert!(check_at(NOW, &compile("test", &auth(&[SECRET])).unwrap(), &dated(&now, &empty), b"").is_ok());
}

/// envoyproxy/envoy#9019: a proxy joins two headers with a comma, here with and without a space.
#[test]
fn signatures_in_headers_that_a_proxy_has_joined_are_found() {
    let key = STANDARD.decode(SECRET).unwrap();
    let (now, right) = (NOW.to_string(), signature(&key, &NOW.to_string(), BODY));
    let webhooks = || compile("test", &auth(&[SECRET])).unwrap();
    for joined in [format!("v1,{OTHER},{right}"), format!("v1,{OTHER}, {right}"), format!("{right},v1a,{OTHER}")] {
        assert!(check_at(NOW, &webhooks(), &dated(&now, &joined), BODY).is_ok(), "{joined}");
    }
    let bare = right.trim_start_matches("v1,");
    for wrong in [format!("v1a,{bare}"), format!("v1a,{OTHER},v2,{bare}"), format!("{bare},v1"), format!("v1,,{bare}")]
    {
        assert!(check_at(NOW, &webhooks(), &dated(&now, &wrong), BODY).is_err(), "{wrong}");
    }
}

/// standard-webhooks/standard-webhooks#235, supabase/supabase#39799: Supabase shows secrets with `v1,`.
/// artifact-keeper/artifact-keeper#1380: a generator of secrets uses the other alphabet of base64.
#[test]
fn a_secret_may_be_written_in_each_form_in_use() {
    let key = STANDARD.decode("C2FVsBQIhrscChlQIMV+b5sSYspob7oD/w==").unwrap();
    for secret in [
        "C2FVsBQIhrscChlQIMV+b5sSYspob7oD/w==",
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD/w==",
        "whsec_C2FVsBQIhrscChlQIMV-b5sSYspob7oD_w",
        "v1,whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD/w==",
        " v1,whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD/w\n",
    ] {
        assert_eq!(standard_webhooks_key(&Secret::new(secret)), Some(key.clone()), "{secret}");
    }
}

/// openai/openai-node#1887, corsairdev/corsair#1024: a lenient decoder makes a key of no or one byte from a secret that
/// is not base64, and anybody can sign with that.
#[test]
fn a_secret_that_decodes_to_nearly_nothing_is_refused() {
    for secret in ["", "whsec_", "v1,whsec_", "whsec_!!!!", "whsec_xyz!", "v1,whsec_AA=="] {
        assert!(auth(&[]).check_secrets(&[Secret::new(secret)]).is_err(), "{secret}");
    }
}

/// A key of version 1a belongs to a pair. It would be taken for a secret that matches no signature.
#[test]
fn a_key_of_a_pair_is_refused() {
    for prefix in ["whpk_", "whsk_", "v1,whpk_"] {
        let secret = Secret::new(format!("{prefix}{}", STANDARD.encode([7; 32])));
        assert!(auth(&[]).check_secrets(&[secret]).is_err(), "{prefix}");
    }
}

/// polarsource/polar#14102, Notifuse/notifuse#318: senders whose key is the text of the secret.
#[test]
fn a_key_that_is_the_text_of_the_secret_is_configured_as_its_base64() {
    let text = "whsec_this text is the key of the sender";
    let webhooks = compile("test", &auth(&[STANDARD.encode(text).as_str()])).unwrap();
    let (now, right) = (NOW.to_string(), signature(text.as_bytes(), &NOW.to_string(), BODY));
    let headers = [("webhook-id", ID), ("webhook-timestamp", now.as_str()), ("webhook-signature", right.as_str())];
    assert!(check_at(NOW, &webhooks, &headers, BODY).is_ok());
}
