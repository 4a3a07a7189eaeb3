//! Each kind of difference is found.

use std::collections::HashSet;

use super::Differences;
use crate::search::Hit;

fn hit(id: &str, event_id: &str) -> Hit {
    Hit { id: id.to_owned(), event_id: event_id.to_owned() }
}

fn acknowledged(ids: &[&str]) -> HashSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn equal_sides_have_no_difference() {
    let found = Differences::between(&acknowledged(&["a", "b"]), &[hit("b", "b"), hit("a", "a")]);
    assert_eq!(found, Differences::default());
    found.ensure_none().unwrap();
}

#[test]
fn each_kind_of_difference_is_found_and_fails() {
    let hits = [hit("b", "b"), hit("topic-0-7", "b"), hit("c", "c")];
    let found = Differences::between(&acknowledged(&["a", "b"]), &hits);
    assert_eq!(found.lost, ["a"]);
    assert_eq!(found.repeated, ["b"]);
    assert_eq!(found.strange, ["c"]);
    assert_eq!(found.misnamed, ["topic-0-7"]);
    let error = found.ensure_none().unwrap_err().to_string();
    assert!(error.contains("1 lost: [\"a\"]"), "{error}");
}
