use super::*;

#[test]
fn only_reserved_names_get_an_underscore() {
    for (name, expected) in [
        ("a", "a"),
        ("_a", "_a"),
        ("_id", "_id_"),
        ("@timestamp", "@timestamp_"),
        ("_index_mode", "_index_mode_"),
        ("_ingested_at", "_ingested_at_"),
    ] {
        assert_eq!(in_document(name, |_| false).as_deref(), Some(expected));
    }
    assert_eq!(in_document("_id", |other| other == "_id_").as_deref(), Some("_id__"));
}

#[test]
fn dots_become_underscores() {
    assert_eq!(in_document("a.b", |_| false).as_deref(), Some("a_b"));
    assert_eq!(in_document(".a", |_| false).as_deref(), Some("_a"));
    assert_eq!(in_document("a.b", |other| other == "a_b").as_deref(), Some("a_b_"));
    assert_eq!(in_document(".id", |_| false).as_deref(), Some("_id_"));
    for blank in [" ", "\u{1c}", "\0\t\u{3000}"] {
        assert_eq!(in_document(blank, |_| false).as_deref(), Some("_"));
    }
}

#[test]
fn at_most_a_hundred_fields_may_get_the_same_name() {
    let taken = |most: usize| move |other: &str| other.len() - "a_b".len() < most;
    assert_eq!(in_document("a.b", taken(100)).map(|name| name.len()), Some(103));
    assert_eq!(in_document("a.b", taken(101)), None);
}
