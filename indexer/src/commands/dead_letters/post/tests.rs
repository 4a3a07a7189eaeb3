use super::*;

#[test]
fn headers_are_read_and_never_shown_in_errors() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("headers");
    std::fs::write(&file, "\u{feff}Authorization: Bearer a:b\n\nX-Other:1\n").unwrap();
    let pairs =
        [("Authorization", "Bearer a:b"), ("X-Other", "1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(read_headers(&file).unwrap(), pairs);
    std::fs::write(&file, "a-secret\n").unwrap();
    let error = read_headers(&file).unwrap_err().to_string();
    assert!(error.contains("line 1") && !error.contains("a-secret"), "{error}");
    assert_eq!(code(r#"{"code":"invalid-event"}"#), "invalid-event");
    assert_eq!(code("<html>"), "unknown");
}
