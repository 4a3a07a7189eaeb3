use super::*;

/// As for a schema without references, and a verdict without reasons.
#[test]
fn an_answer_may_have_null_where_a_list_is_empty() {
    let version = r#"{"version":1,"id":7,"schema":"\"long\"","references":null}"#;
    let version: VersionAnswer = serde_json::from_str(version).unwrap();
    assert!(version.references.is_none());
    let compatibility: Compatibility = serde_json::from_str(r#"{"is_compatible":false,"messages":null}"#).unwrap();
    assert!(!compatibility.is_compatible && compatibility.messages.is_none());
}
