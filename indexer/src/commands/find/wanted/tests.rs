use kafka::position::{Offset, Partition};

use super::*;

#[test]
fn the_id_of_an_event_without_a_key_gives_its_position() {
    let position = |id: &str| Wanted::Id(id.to_owned()).position("cxone-events");
    let first = |timestamp| First { partition: Partition(3), offset: Offset(42), timestamp };
    assert_eq!(position("cxone-events-3-42-1700000000000"), Some(first(Some(1_700_000_000_000))));
    assert_eq!(position("cxone-events-3-42"), Some(first(None)));
    for id in ["cxone-events", "cxone-events-3", "cxone-events-a-42-1", "other-3-42-1", "cxone-events-3-42-x"] {
        assert_eq!(position(id), None, "{id}");
    }
}

#[test]
fn a_qualified_id_may_contain_the_key_after_a_scope() {
    assert_eq!(Wanted::Id("calls:1".to_owned()).keys(), ["calls:1", "1"]);
    assert_eq!(Wanted::Id("1".to_owned()).keys(), ["1"]);
    assert_eq!(Wanted::Request("1".to_owned()).keys(), Vec::<&str>::new());
}
