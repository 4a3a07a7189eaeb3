use super::*;

#[test]
fn an_index_keeps_its_first_time_while_it_exists() {
    let found = |name: &str| FoundIndex {
        name: name.to_owned(),
        created: 0,
        writable: true,
        is_write: false,
        is_resized: false,
    };
    let mut seen = HashMap::new();
    note(&mut seen, &[found("a")], 1);
    note(&mut seen, &[found("a"), found("b")], 2);
    assert_eq!((seen["a"], seen["b"]), (1, 2));
    note(&mut seen, &[found("b")], 3);
    note(&mut seen, &[found("a"), found("b")], 4);
    assert_eq!((seen["a"], seen["b"]), (4, 2));
}
