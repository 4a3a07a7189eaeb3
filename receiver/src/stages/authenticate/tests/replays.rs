//! A signature is refused a second time only if it was accepted the first time.

use super::super::replay::{Known, Replays};
use super::*;

fn authenticator(secrets: &[&str], capacity: usize) -> (Auth, Authenticator) {
    let mut auth = with_timestamp(hmac_auth(HmacAlgorithm::Sha256, HmacEncoding::Hex, "", secrets));
    if let Auth::Hmac { replay_capacity, .. } = &mut auth {
        *replay_capacity = capacity;
    }
    let authenticator = compile("test", &auth).unwrap();
    (auth, authenticator)
}

fn send(authenticator: &Authenticator, secret: &str, body: &[u8], now: u64) -> Result<Claim, Refused> {
    let time = NOW.to_string();
    let signature = sign(secret, &[time.as_bytes(), b".", body]);
    check_at(now, authenticator, &[("x-signature", &signature), ("x-timestamp", &time)], body)
}

fn accept(claim: Claim) {
    claim.keep(UNIX_EPOCH + Duration::from_secs(NOW));
}

#[test]
fn an_accepted_signature_is_refused_while_its_timestamp_counts() {
    let (_, authenticator) = authenticator(&["secret"], 100);
    accept(send(&authenticator, "secret", b"body", NOW).unwrap());
    for later in [0, 1, 300] {
        let again = send(&authenticator, "secret", b"body", NOW + later).err();
        assert_eq!(again, Some(Refused::Unauthorized), "{later} s later");
    }
    assert!(send(&authenticator, "secret", b"another body", NOW).is_ok());
}

#[test]
fn an_unaccepted_request_may_be_repeated_but_not_concurrently() {
    let (_, authenticator) = authenticator(&["secret"], 100);
    let in_flight = send(&authenticator, "secret", b"body", NOW).unwrap();
    // The answer must not say "do not send this again", because the first request may still fail.
    assert_eq!(send(&authenticator, "secret", b"body", NOW).err(), Some(Refused::InFlight));
    drop(in_flight);
    assert!(send(&authenticator, "secret", b"body", NOW).is_ok());
}

#[test]
fn a_replay_is_recognised_under_any_secret_and_after_rotation() {
    let (_, first) = authenticator(&["old", "new"], 100);
    accept(send(&first, "old", b"body", NOW).unwrap());
    assert!(send(&first, "new", b"body", NOW).is_err());
    let (auth, _) = authenticator(&["new"], 100);
    let next = first.again("test", &auth, &auth.secrets().unwrap()).unwrap();
    assert!(send(&next, "new", b"body", NOW).is_err());
    assert!(send(&next, "new", b"another body", NOW).is_ok());
}

#[test]
fn beyond_the_capacity_the_oldest_signature_is_forgotten() {
    let (_, authenticator) = authenticator(&["secret"], 2);
    for body in [b"1", b"2", b"3"] {
        accept(send(&authenticator, "secret", body, NOW).unwrap());
    }
    assert!(send(&authenticator, "secret", b"3", NOW).is_err());
    assert!(send(&authenticator, "secret", b"2", NOW).is_err());
    assert!(send(&authenticator, "secret", b"1", NOW).is_ok());
}

#[test]
fn without_capacity_or_timestamp_nothing_is_remembered() {
    let (_, without) = authenticator(&["secret"], 0);
    for _ in 0..2 {
        accept(send(&without, "secret", b"body", NOW).unwrap());
    }
    let in_flight = send(&without, "secret", b"body", NOW);
    assert!(in_flight.is_ok() && send(&without, "secret", b"body", NOW).is_ok(), "not even while it is in flight");
    let timeless = hmac_auth(HmacAlgorithm::Sha256, HmacEncoding::Hex, "", &["secret"]);
    let timeless = compile("test", &timeless).unwrap();
    for _ in 0..2 {
        let signature = sign("secret", &[b"body"]);
        accept(check_at(NOW, &timeless, &[("x-signature", &signature)], b"body").unwrap());
    }
}

#[test]
fn a_signature_is_remembered_for_twice_the_tolerance() {
    let replays = Replays::new(Duration::from_secs(300), 100).unwrap();
    let at = |second| UNIX_EPOCH + Duration::from_secs(NOW + second);
    replays.claim(vec![1], at(0)).unwrap().keep(at(0));
    assert_eq!(replays.claim(vec![1], at(600)).err(), Some(Known::Accepted));
    assert!(replays.claim(vec![1], at(601)).is_ok());
}
