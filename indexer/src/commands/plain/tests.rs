use super::*;

#[test]
fn escape_sequences_are_escaped() {
    assert_eq!(plain("plain ä text"), "plain ä text");
    assert_eq!(plain("a\x1b[31mb\nc\u{9b}"), "a\\u{1b}[31mb\\nc\\u{9b}");
    assert_eq!((bytes(b"a-1"), bytes(&[0xff, 1])), ("a-1".to_owned(), "0xff01".to_owned()));
}
