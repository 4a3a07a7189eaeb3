use super::*;

#[test]
fn what_changes_a_document_is_seen_in_settings_and_mapping() {
    for (index, expected) in [
        ("{}", Handling::Verbatim),
        (r#"{"settings":{"index":{"default_pipeline":"_none","mode":"standard"}}}"#, Handling::Verbatim),
        (r#"{"settings":{"index":{"mapping":{"source":{"mode":"stored"}}}}}"#, Handling::Verbatim),
        (r#"{"mappings":{"_source":{"enabled":true}}}"#, Handling::Verbatim),
        (r#"{"settings":{"index":{"default_pipeline":"p"}}}"#, Handling::Changed),
        (r#"{"settings":{"index":{"final_pipeline":"p"}}}"#, Handling::Changed),
        (r#"{"settings":{"index":{"mode":"logsdb"}}}"#, Handling::Changed),
        (r#"{"settings":{"index":{"mapping":{"source":{"mode":"synthetic"}}}}}"#, Handling::Changed),
        (r#"{"mappings":{"_source":{"enabled":false}}}"#, Handling::Changed),
        (r#"{"mappings":{"_source":{"excludes":["a"]}}}"#, Handling::Changed),
        (r#"{"mappings":{"_source":{"mode":"synthetic"}}}"#, Handling::Changed),
    ] {
        assert_eq!(read(format!(r#"{{"x-000001":{index}}}"#).as_bytes()), expected, "{index}");
    }
    // With filter_path, an index of which nothing is left is left out.
    assert_eq!(read(b"{}"), Handling::Verbatim);
    assert_eq!(read(b"<html>"), Handling::Changed);
}
