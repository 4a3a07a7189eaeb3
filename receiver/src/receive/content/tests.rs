use axum::http::HeaderValue;

use super::*;

fn coding_of(values: &[&str]) -> Result<Option<Format>, Rejection> {
    let mut head = HeaderMap::new();
    for value in values {
        head.append(CONTENT_ENCODING, HeaderValue::from_str(value).unwrap());
    }
    coding(&head)
}

#[test]
fn a_single_coding_is_accepted_in_any_case() {
    assert!(matches!(coding_of(&[]), Ok(None)));
    assert!(matches!(coding_of(&["identity"]), Ok(None)));
    assert!(matches!(coding_of(&["GZip"]), Ok(Some(Format::Gzip))));
    assert!(matches!(coding_of(&["x-gzip"]), Ok(Some(Format::Gzip))));
    assert!(matches!(coding_of(&[" zstd "]), Ok(Some(Format::Zstd))));
    assert!(matches!(coding_of(&["identity, deflate"]), Ok(Some(Format::Zlib))));
}

#[test]
fn unknown_and_nested_codings_are_refused() {
    for values in [&["br"][..], &["gzip, gzip"], &["gzip", "zstd"], &["gzip;q=1"], &["*"]] {
        assert!(matches!(coding_of(values), Err(Rejection::ContentEncoding)), "{values:?}");
    }
}

/// expressjs/body-parser#100 and #108: vendors that write the character set of the body here, and cannot be changed.
#[test]
fn a_character_set_is_not_a_coding() {
    assert!(matches!(coding_of(&["UTF-8"]), Ok(None)));
    assert!(matches!(coding_of(&["utf8"]), Ok(None)));
    assert!(matches!(coding_of(&["gzip, utf-8"]), Ok(Some(Format::Gzip))));
    assert!(matches!(coding_of(&["latin1"]), Err(Rejection::ContentEncoding)));
}
