use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, UNIX_EPOCH};

use ::hmac::{KeyInit, Mac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use service::secret::Secret;

use super::replay::Claim;
use super::signature::PIECE;
use super::*;
use crate::config::{HmacAlgorithm, HmacEncoding};
use crate::message::Buffer;

mod certificates;
mod replays;
mod schemes;
mod vectors;
mod vendors;

const NOW: u64 = 1_700_000_000;

/// Compiles `auth` with its current secrets.
fn compile(name: &str, auth: &Auth) -> Result<Authenticator, AuthError> {
    let key = |field: &str| format!("receiver.sources.{name}.auth.{field}");
    let secrets = auth.secrets().map_err(|source| AuthError::Secrets { key: key(source.key), source })?;
    Authenticator::compile(name, auth, &secrets)
}

/// Returns the head of a request to `/webhook?a=b`.
fn head(headers: &[(&'static str, &str)]) -> Parts {
    let (mut head, ()) = axum::http::Request::post("/webhook?a=b").body(()).unwrap().into_parts();
    for (name, value) in headers {
        head.headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    head
}

fn check(auth: &Auth, headers: &[(&'static str, &str)], body: &[u8]) -> Result<(), Refused> {
    check_at(NOW, &compile("test", auth).unwrap(), headers, body).map(|_| ())
}

fn check_at(
    now: u64,
    authenticator: &Authenticator,
    headers: &[(&'static str, &str)],
    body: &[u8],
) -> Result<Claim, Refused> {
    let (head, now) = (head(headers), UNIX_EPOCH + Duration::from_secs(now));
    let pending = authenticator.check_head(&head, None, now)?;
    pending.check_body(Buffer::from(body), now).map(|(_, claim)| claim)
}

fn bearer(tokens: &[&str]) -> Auth {
    Auth::Bearer { tokens: tokens.iter().copied().map(Secret::new).collect(), tokens_file: None }
}

fn hmac_auth(algorithm: HmacAlgorithm, encoding: HmacEncoding, prefix: &str, secrets: &[&str]) -> Auth {
    Auth::Hmac {
        header: "X-Signature".to_owned(),
        algorithm,
        encoding,
        prefix: prefix.to_owned(),
        timestamp_prefix: None,
        trusted_headers: Vec::new(),
        timestamp_header: None,
        signed: None,
        tolerance: Duration::from_secs(300),
        replay_capacity: 100,
        secrets: secrets.iter().copied().map(Secret::new).collect(),
        secrets_file: None,
    }
}

fn with_timestamp(mut auth: Auth) -> Auth {
    if let Auth::Hmac { timestamp_header, .. } = &mut auth {
        *timestamp_header = Some("X-Timestamp".to_owned());
    }
    auth
}

fn sign(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac = ::hmac::Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    for part in parts {
        mac.update(part);
    }
    hex::encode(mac.finalize().into_bytes())
}

#[tokio::test]
async fn other_requests_have_their_turn_while_a_large_body_is_hashed() {
    let authenticator = compile("test", &hmac_auth(HmacAlgorithm::Sha256, HmacEncoding::Hex, "", &["key"])).unwrap();
    let now = UNIX_EPOCH + Duration::from_secs(NOW);
    for (bytes, turns) in [(0, 1), (PIECE, 1), (3 * PIECE + 1, 4)] {
        let body = vec![b'x'; bytes];
        let head = head(&[("x-signature", &sign("key", &[&body]))]);
        let Ok(pending) = authenticator.check_head(&head, None, now) else { panic!("the head is refused") };
        let mut check = pin!(pending.check_body_in_turns(Buffer::from(&body[..]), now));
        let mut taken = 1;
        let checked = loop {
            match futures::poll!(check.as_mut()) {
                Poll::Ready(checked) => break checked,
                Poll::Pending => taken += 1,
            }
        };
        assert!(checked.is_ok() && taken == turns, "{bytes} bytes took {taken} turns");
    }
}

#[test]
fn each_live_token_is_accepted() {
    let auth = bearer(&["old", "new"]);
    for credentials in ["Bearer old", "Bearer new", "bearer new", "BEARER  new"] {
        assert_eq!(check(&auth, &[("authorization", credentials)], b""), Ok(()), "{credentials}");
    }
}

#[test]
fn anything_but_a_live_token_is_refused() {
    let auth = bearer(&["token"]);
    for credentials in
        ["Bearer toke", "Bearer tokens", "Bearer Token", "Bearer ", "Bearer", "Bearertoken", "Basic token", "token", ""]
    {
        assert_eq!(check(&auth, &[("authorization", credentials)], b""), Err(Refused::Unauthorized), "{credentials}");
    }
    assert_eq!(check(&auth, &[], b""), Err(Refused::Unauthorized));
}

#[test]
fn two_authorization_headers_are_refused_even_if_one_is_right() {
    let auth = bearer(&["token"]);
    let twice = [("authorization", "Bearer token"), ("authorization", "Bearer other")];
    assert_eq!(check(&auth, &twice, b""), Err(Refused::Unauthorized));
}

/// RFC 4231, test cases 1, 2 and 4 (the others have keys that are not text).
#[test]
fn the_vectors_of_rfc_4231_are_accepted() {
    let counting: String = ('\u{01}'..='\u{19}').collect();
    let cases: [(&str, &[u8], &str, &str); 3] = [
        (
            "\u{0b}\u{0b}\u{0b}\u{0b}\u{0b}\u{0b}\u{0b}\u{0b}\u{0b}\u{0b}\u{0b}\u{0b}\u{0b}\u{0b}\u{0b}\u{0b}\u{0b}\u{0b}\u{0b}\u{0b}",
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
        ),
        (
            "Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
        (
            &counting,
            &[0xcd; 50],
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
        ),
    ];
    for (key, data, sha256, sha512) in cases {
        for (algorithm, signature) in [(HmacAlgorithm::Sha256, sha256), (HmacAlgorithm::Sha512, sha512)] {
            let auth = hmac_auth(algorithm, HmacEncoding::Hex, "", &[key]);
            assert_eq!(check(&auth, &[("x-signature", signature)], data), Ok(()), "{algorithm:?} {key:?}");
            let upper = signature.to_uppercase();
            assert_eq!(check(&auth, &[("x-signature", &upper)], data), Ok(()), "{algorithm:?} {key:?} upper case");
        }
    }
}

#[test]
fn a_signature_in_base64_is_accepted_in_either_alphabet_padded_or_not() {
    let auth = hmac_auth(HmacAlgorithm::Sha256, HmacEncoding::Base64, "", &["Jefe"]);
    let signature = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";
    let data = b"what do ya want for nothing?";
    assert_eq!(check(&auth, &[("x-signature", signature)], data), Ok(()));
    assert_eq!(check(&auth, &[("x-signature", signature.trim_end_matches('='))], data), Ok(()));
    // This signature has both characters that differ between the alphabets.
    let signed = |body: &[u8]| STANDARD.encode(hex::decode(sign("Jefe", &[body])).unwrap());
    let (body, standard) = (0..)
        .map(|n: u32| n.to_string())
        .map(|body| (signed(body.as_bytes()), body))
        .find_map(|(it, body)| (it.contains('+') && it.contains('/')).then_some((body, it)))
        .unwrap();
    let url_safe = standard.replace('+', "-").replace('/', "_");
    for written in [&standard, &url_safe, url_safe.trim_end_matches('=')] {
        assert_eq!(check(&auth, &[("x-signature", written)], body.as_bytes()), Ok(()), "{written}");
    }
    for wrong in [&signature[1..], &signature[..40], "=", "W9z", "%"] {
        assert_eq!(check(&auth, &[("x-signature", wrong)], data), Err(Refused::Unauthorized), "{wrong}");
    }
}

#[test]
fn both_secrets_are_accepted_while_they_rotate() {
    let auth = hmac_auth(HmacAlgorithm::Sha256, HmacEncoding::Hex, "sha256=", &["old", "new"]);
    for secret in ["old", "new"] {
        let signature = format!("sha256={}", sign(secret, &[b"body"]));
        assert_eq!(check(&auth, &[("x-signature", &signature)], b"body"), Ok(()), "{secret}");
    }
    let retired = format!("sha256={}", sign("retired", &[b"body"]));
    assert_eq!(check(&auth, &[("x-signature", &retired)], b"body"), Err(Refused::Unauthorized));
}

#[test]
fn a_signature_counts_beside_any_others_and_if_it_is_there_twice() {
    let auth = hmac_auth(HmacAlgorithm::Sha256, HmacEncoding::Hex, "sha256=", &["secret"]);
    let (right, wrong) = (sign("secret", &[b"body"]), "00".repeat(32));
    for value in [
        format!("sha256={right},sha256={right}"),
        format!("sha256={right},sha256={wrong}"),
        format!("sha256={wrong},sha256={wrong},{right}"),
    ] {
        assert_eq!(check(&auth, &[("x-signature", &value)], b"body"), Ok(()), "{value}");
    }
}

#[test]
fn a_malformed_signature_is_refused_by_the_head_alone() {
    let auth = hmac_auth(HmacAlgorithm::Sha256, HmacEncoding::Hex, "sha256=", &["secret"]);
    let authenticator = compile("test", &auth).unwrap();
    let right = sign("secret", &[b"body"]);
    let short = format!("sha256={}", &right[..62]);
    let long = format!("sha256={right}00");
    let wrong_prefix = format!("sha1={right}");
    let wrong_digits = format!("sha256={}zz", &right[..62]);
    for value in [&right, &short, &long, &wrong_prefix, &wrong_digits, "", "sha256="] {
        let head = head(&[("x-signature", value)]);
        assert!(authenticator.check_head(&head, None, UNIX_EPOCH).is_err(), "{value}");
    }
    assert!(authenticator.check_head(&head(&[]), None, UNIX_EPOCH).is_err());
}

#[test]
fn another_body_is_refused() {
    let auth = hmac_auth(HmacAlgorithm::Sha256, HmacEncoding::Hex, "", &["secret"]);
    let signature = sign("secret", &[b"body"]);
    assert_eq!(check(&auth, &[("x-signature", &signature)], b"Body"), Err(Refused::Unauthorized));
    assert_eq!(check(&auth, &[("x-signature", &signature)], b""), Err(Refused::Unauthorized));
}

#[test]
fn a_timestamp_is_accepted_within_the_tolerance_on_both_sides() {
    let auth = with_timestamp(hmac_auth(HmacAlgorithm::Sha256, HmacEncoding::Hex, "", &["secret"]));
    for (time, expected) in [
        (NOW, Ok(())),
        (NOW - 300, Ok(())),
        (NOW + 300, Ok(())),
        (NOW - 301, Err(Refused::Unauthorized)),
        (NOW + 301, Err(Refused::Unauthorized)),
    ] {
        let time = time.to_string();
        let signature = sign("secret", &[time.as_bytes(), b".", b"body"]);
        let headers = [("x-signature", signature.as_str()), ("x-timestamp", &time)];
        assert_eq!(check(&auth, &headers, b"body"), expected, "{time}");
    }
}

#[test]
fn an_unsigned_or_malformed_timestamp_is_refused() {
    let auth = with_timestamp(hmac_auth(HmacAlgorithm::Sha256, HmacEncoding::Hex, "", &["secret"]));
    let signature = sign("secret", &[b"1699999999.body"]);
    let now = NOW.to_string();
    assert_eq!(
        check(&auth, &[("x-signature", &signature), ("x-timestamp", &now)], b"body"),
        Err(Refused::Unauthorized)
    );
    assert_eq!(check(&auth, &[("x-signature", &signature)], b"body"), Err(Refused::Unauthorized));
    for odd in ["", "+1700000000", "1.7e9", "17000000000000000000000"] {
        let signature = sign("secret", &[odd.as_bytes(), b".body"]);
        let headers = [("x-signature", signature.as_str()), ("x-timestamp", odd)];
        assert_eq!(check(&auth, &headers, b"body"), Err(Refused::Unauthorized), "{odd}");
    }
}

#[test]
fn a_source_without_a_secret_does_not_start() {
    for auth in [bearer(&[]), hmac_auth(HmacAlgorithm::Sha256, HmacEncoding::Hex, "", &[])] {
        assert!(matches!(compile("test", &auth), Err(AuthError::Secrets { .. })));
    }
    assert!(matches!(compile("test", &bearer(&["token", " "])), Err(AuthError::Secrets { .. })));
}

#[test]
fn an_error_names_the_key_and_no_secret() {
    let error = compile("cxone", &bearer(&["hush", ""])).err().unwrap().to_string();
    assert!(error.starts_with("receiver.sources.cxone.auth.tokens:"), "{error}");
    assert!(!error.contains("hush"), "{error}");
}

#[test]
fn tokens_of_the_file_are_accepted_too() {
    let file = std::env::temp_dir().join(format!("penstock-tokens-{}", std::process::id()));
    std::fs::write(&file, "first\n\n second \n").unwrap();
    let auth = Auth::Bearer { tokens: Vec::new(), tokens_file: Some(file.clone()) };
    for token in ["Bearer first", "Bearer second"] {
        assert_eq!(check(&auth, &[("authorization", token)], b""), Ok(()), "{token}");
    }
    assert_eq!(check(&auth, &[("authorization", "Bearer ")], b""), Err(Refused::Unauthorized));
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(compile("test", &auth), Err(AuthError::Secrets { .. })));
}
