use super::*;

fn record(fields: &str) -> String {
    format!(r#"{{"type": "record", "name": "E", "fields": [{fields}]}}"#)
}

#[test]
fn without_a_reason_the_comparison_names_field_and_direction() {
    let a = r#"{"name": "a", "type": "string"}"#;
    let (one, two) = (record(a), record(&format!(r#"{a}, {{"name": "b", "type": "int"}}"#)));
    let reason = compared(&one, &two);
    assert!(reason.starts_with("events of the old schema") && reason.contains('b'), "{reason}");
    let reason = compared(&two, &one);
    assert!(reason.starts_with("events of the new schema") && reason.contains('b'), "{reason}");
    assert!(compared(&one, &one).contains("nothing wrong"));
    assert!(compared("nonsense", &one).contains("does not say why"));
}
