use super::*;

#[test]
fn a_request_that_is_wrong_in_itself_clears_compression_for_a_while() {
    let (gzip, now) = (Gzip::default(), Instant::now());
    assert!(gzip.is_usable() && gzip.is_suspect(now));
    assert!(!gzip.note(false, now));
    assert!(gzip.is_usable() && !gzip.is_suspect(now));
    assert!(gzip.is_suspect(now + BELIEVED), "a proxy may have changed");
}

#[test]
fn a_node_that_takes_only_uncompressed_requests_is_reported_once() {
    let (gzip, now) = (Gzip::default(), Instant::now());
    assert_eq!([gzip.note(true, now), gzip.note(true, now)], [true, false]);
    assert!(!gzip.is_usable());
}
