//! The prepared bodies.

use serde_json::Value;

use super::*;

#[test]
fn each_document_has_its_action_and_is_json() {
    let bodies = bodies(DOCUMENTS + 1).expect("bodies");
    assert_eq!(bodies.len(), 2);
    let text = std::str::from_utf8(&bodies[1]).expect("text");
    assert!(text.ends_with('\n'), "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let [action, document] = lines.as_slice() else { panic!("{text}") };
    assert_eq!(action["create"]["_id"], document["event_id"], "{text}");
}
