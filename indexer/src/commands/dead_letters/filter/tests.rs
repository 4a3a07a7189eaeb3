use super::*;

fn letter() -> Letter {
    let headers = [
        ("dl.error-type", "unknown-schema"),
        ("dl.reason", "no schema has the id 7"),
        ("dl.topic", "events"),
        ("source", "calls"),
    ];
    Letter {
        at: RecordPosition { topic: "dead".to_owned(), partition: 0, offset: 5 },
        kind: Kind::DeadLetter,
        written: Some(1_000),
        key: Some(b"a-1".to_vec()),
        value: None,
        headers: headers.map(|(name, value)| (name.to_owned(), Some(value.as_bytes().to_vec()))).into(),
    }
}

#[test]
fn a_letter_must_pass_all_filters() {
    let some = |text: &str| Some(text.to_owned());
    let none = Filter::default();
    for (filter, expected) in [
        (Filter { ..none.clone() }, true),
        (Filter { reason: some("unknown-schema"), ..none.clone() }, true),
        (Filter { reason: some("the id 7"), ..none.clone() }, true),
        (Filter { reason: some("unknown"), ..none.clone() }, false),
        (Filter { topic: some("events"), source: some("calls"), ..none.clone() }, true),
        (Filter { topic: some("events"), source: some("chats"), ..none.clone() }, false),
        (Filter { from: Some(Moment(1_000)), to: Some(Moment(1_001)), ..none.clone() }, true),
        (Filter { to: Some(Moment(1_000)), ..none.clone() }, false),
        (Filter { key: vec!["b".to_owned(), "a-1".to_owned()], ..none.clone() }, true),
        (Filter { key: vec!["a".to_owned()], ..none.clone() }, false),
        (Filter { letter: vec!["dead:0:5".parse().unwrap()], ..none.clone() }, true),
        (Filter { letter: vec!["dead:0:4".parse().unwrap()], ..none.clone() }, false),
    ] {
        assert_eq!(filter.takes(&letter()), expected, "{filter:?}");
    }
}
