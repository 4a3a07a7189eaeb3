use super::*;
use crate::bulk::outcome::BlockKind;
use crate::bulk::outcome::Trouble;

#[test]
fn settings_and_mappings_that_change_documents_are_recognised() {
    for (index, expected) in [
        ("{}", Handling::Verbatim),
        (r#"{"settings":{"index":{"default_pipeline":"_none","mode":"standard"}}}"#, Handling::Verbatim),
        (r#"{"settings":{"index":{"mapping":{"source":{"mode":"stored"}}}}}"#, Handling::Verbatim),
        (r#"{"mappings":{"_source":{"enabled":true}}}"#, Handling::Verbatim),
        (r#"{"settings":{"index":{"derived_source":{"enabled":"false"}}}}"#, Handling::Verbatim),
        (r#"{"settings":{"index":{"derived_source":{"enabled":false}}}}"#, Handling::Verbatim),
        (r#"{"settings":{"index":{"derived_source":{"enabled":"true"}}}}"#, Handling::Changed),
        (r#"{"settings":{"index":{"derived_source":{"enabled":true}}}}"#, Handling::Changed),
        (r#"{"settings":{"index":{"default_pipeline":"p"}}}"#, Handling::Changed),
        (r#"{"settings":{"index":{"final_pipeline":"p"}}}"#, Handling::Changed),
        (r#"{"settings":{"index":{"mode":"logsdb"}}}"#, Handling::Changed),
        (r#"{"settings":{"index":{"mapping":{"source":{"mode":"synthetic"}}}}}"#, Handling::Changed),
        (r#"{"mappings":{"_source":{"enabled":false}}}"#, Handling::Changed),
        (r#"{"mappings":{"_source":{"excludes":["a"]}}}"#, Handling::Changed),
        (r#"{"mappings":{"_source":{"mode":"synthetic"}}}"#, Handling::Changed),
    ] {
        assert_eq!(read(format!(r#"{{"x-000001":{index}}}"#).as_bytes()), Some(expected), "{index}");
    }
    // With filter_path, an index without any matching setting is omitted.
    assert_eq!(read(b"{}"), Some(Handling::Verbatim));
    assert_eq!(read(b"<html>"), None);
}

#[test]
fn a_transient_failure_does_not_count_as_an_answer() {
    const OWN: &str = r#"{"error":{"type":"security_exception","reason":"why"},"status":403}"#;
    for (status, body, expected) in [
        (200, "{}", Ok(Handling::Verbatim)),
        (200, "<html>", Err(Ok(Trouble::Unreadable))),
        (400, OWN, Ok(Handling::Changed)),
        (401, OWN, Err(Err(BlockKind::Security))),
        (403, OWN, Ok(Handling::Changed)),
        (404, OWN, Ok(Handling::Changed)),
        (403, "<html>", Err(Err(BlockKind::Security))),
        (404, "<html>", Err(Ok(Trouble::Server))),
        (408, OWN, Err(Ok(Trouble::TimedOut))),
        (429, OWN, Err(Ok(Trouble::Overload))),
        (500, OWN, Err(Ok(Trouble::Server))),
        (502, "<html>", Err(Ok(Trouble::Server))),
        (503, OWN, Err(Ok(Trouble::Server))),
    ] {
        let answer = ServerAnswer { status, body: Bytes::from_static(body.as_bytes()), is_elasticsearch: true };
        let judged = judge("x-000001", &answer).map_err(|obstacle| match obstacle {
            Obstacle::Failed(failure) => Ok(failure.trouble),
            Obstacle::Block(block) => Err(block.kind),
        });
        assert_eq!(judged, expected, "{status} {body}");
    }
}
