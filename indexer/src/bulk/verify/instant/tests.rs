use super::*;

#[test]
fn each_notation_of_a_time_equals_the_returned_one() {
    // As Elasticsearch 9.5.3 returns them, with a synthetic `_source`.
    for (written, given_back) in [
        ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"),
        ("2026-01-02T03:04:05.678901Z", "2026-01-02T03:04:05.678Z"),
        ("2026-01-02T03:04:05.678901234", "2026-01-02T03:04:05.678Z"),
        ("2026-01-02", "2026-01-02T00:00:00.000Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999Z"),
    ] {
        assert!(is_given_back(given_back));
        assert_eq!(of_text(written), of_text(given_back), "{written}");
    }
    assert_eq!(of_number("1767323045678901e-3"), of_text("2026-01-02T03:04:05.678Z"));
    assert_eq!(of_text("1970-01-01T00:00:00.000Z"), Some(0));
}

#[test]
fn other_text_is_not_a_time() {
    for text in
        ["", "2026", "2026-13-02", "2026-01-02T", "2026-01-02 03:04:05.678", "2026-01-02T03:04:05.Z", "+026-01-02"]
    {
        assert_eq!(of_text(text), None, "{text}");
    }
    for text in ["2026-01-02", "2026-01-02T03:04:05.678901Z", "2026-01-02T03:04:05.678"] {
        assert!(!is_given_back(text), "{text}");
    }
    assert_eq!(of_number("1e99"), None);
}
