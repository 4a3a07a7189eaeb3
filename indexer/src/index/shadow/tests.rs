use serde_json::json;

use super::*;

#[test]
fn a_star_matches_any_text() {
    for (pattern, name, expected) in [
        ("events", "events", true),
        ("events", "events-1", false),
        ("events-*", "events-000001", true),
        ("events-*", "events", false),
        ("*", "events", true),
        ("*-0*1", "events-000001", true),
        ("e*s-*2", "events-000001", false),
        ("*events*", "events", true),
        ("ab*ba", "aba", false),
    ] {
        assert_eq!(is_match(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn the_template_of_the_highest_priority_wins() {
    let template = |name: &str, pattern: &str, priority: Option<u32>| {
        let mut template = json!({"name": name, "index_template": {"index_patterns": [pattern]}});
        if let Some(priority) = priority {
            template["index_template"]["priority"] = json!(priority);
        }
        template
    };
    let all =
        [template("all", "*", None), template("ours", "events-*", Some(506)), template("others", "audit-*", Some(900))];
    assert_eq!(winner(&all, "events-000002"), Some("ours"));
    assert_eq!(winner(&all, "other"), Some("all"));
    assert_eq!(winner(&all[1..], "other"), None);
}
