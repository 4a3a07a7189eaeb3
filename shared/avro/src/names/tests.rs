use super::*;

#[test]
fn reserved_names_get_an_underscore_and_all_others_stay() {
    for (name, expected) in [
        ("a", "a"),
        ("_a", "_a"),
        ("_id", "_id_"),
        ("@timestamp", "@timestamp_"),
        ("_index_mode", "_index_mode_"),
        ("_ingested_at", "_ingested_at_"),
    ] {
        assert_eq!(in_document(name, |_| false), expected);
    }
    assert_eq!(in_document("_id", |other| other == "_id_"), "_id__");
}

#[test]
fn dots_become_underscores() {
    assert_eq!(in_document("a.b", |_| false), "a_b");
    assert_eq!(in_document(".a", |_| false), "_a");
    assert_eq!(in_document("a.b", |other| other == "a_b"), "a_b_");
    assert_eq!(in_document(".id", |_| false), "_id_");
    for blank in [" ", "\u{1c}", "\0\t\u{3000}"] {
        assert_eq!(in_document(blank, |_| false), "_");
    }
}
