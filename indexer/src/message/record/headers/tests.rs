use super::*;

pub(crate) use super::in_one_piece as headers;

#[test]
fn headers_survive_encoding_and_decoding() {
    let all: [(&str, Option<&[u8]>); 4] =
        [("source", Some(b"calls")), ("a", Some(b"")), ("", None), ("a", Some(&[0xff]))];
    let bytes = headers(&all);
    assert_eq!(Headers::from_bytes(&bytes).collect::<Vec<_>>(), all);
    assert_eq!(Headers::from_bytes(&bytes).get("a"), Some(&[0xff][..]), "the last of a name counts");
    assert_eq!(Headers::from_bytes(&bytes).get("none"), None);
    assert_eq!(Headers::default().count(), 0);
}

#[test]
fn truncated_headers_are_left_out() {
    let bytes = headers(&[("a", Some(b"1")), ("b", Some(b"2"))]);
    for end in 0..bytes.len() {
        assert!(Headers::from_bytes(&bytes[..end]).count() < 2);
    }
}
