//! Tests of the names in a certificate. The integration tests check that certificates are verified.

use rcgen::{CertificateParams, DnType, KeyPair, SanType};

use super::*;

fn peer() -> Peer {
    let mut params = CertificateParams::new(vec!["sender.example".to_owned()]).unwrap();
    params.subject_alt_names.push(SanType::URI("spiffe://example/sender".try_into().unwrap()));
    params.distinguished_name.push(DnType::CommonName, "The Sender");
    Peer::of(params.self_signed(&KeyPair::generate().unwrap()).unwrap().der())
}

fn check(names: &[&str], peer: Option<&Peer>) -> bool {
    check_at(UNIX_EPOCH, names, peer)
}

fn check_at(now: SystemTime, names: &[&str], peer: Option<&Peer>) -> bool {
    let auth = Auth::Mtls { names: names.iter().map(|name| (*name).to_owned()).collect() };
    let authenticator = compile("test", &auth).unwrap();
    let head = head(&[]);
    authenticator.check_head(&head, peer, now).is_ok_and(|pending| pending.is_authentic())
}

#[test]
fn a_certificate_is_accepted_by_each_of_its_names() {
    let peer = peer();
    for name in ["sender.example", "spiffe://example/sender", "The Sender"] {
        assert!(check(&[name], Some(&peer)), "{name}");
        assert!(check(&["somebody else", name], Some(&peer)), "{name}");
    }
    assert!(check(&[], Some(&peer)));
}

#[test]
fn a_certificate_counts_until_it_expires_on_any_connection() {
    let mut params = CertificateParams::new(vec!["sender.example".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2030, 1, 1);
    let peer = Peer::of(params.self_signed(&KeyPair::generate().unwrap()).unwrap().der());
    let end = UNIX_EPOCH + Duration::from_secs(1_893_456_000);
    assert!(check_at(end, &[], Some(&peer)));
    assert!(!check_at(end + Duration::from_secs(1), &[], Some(&peer)));
}

#[test]
fn a_missing_or_foreign_certificate_is_refused() {
    let peer = peer();
    for name in ["example", "SENDER.EXAMPLE ", "sender.example.evil", ""] {
        assert!(!check(&[name], Some(&peer)), "{name}");
    }
    assert!(!check(&[], None));
    assert!(!check(&["a"], Some(&Peer::of(b"no certificate"))));
}
