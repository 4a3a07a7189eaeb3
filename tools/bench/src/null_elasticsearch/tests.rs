//! The list of backing indices.

use serde_json::Value;

use super::*;

#[test]
fn each_alias_has_its_backing_indices_and_one_write_index() {
    let list = Backing { count: 3, first: 1_000, interval: 10 }.list("one,other");
    let list: Value = serde_json::from_str(&list).expect("JSON");
    assert_eq!(list.as_object().expect("an object").len(), 6);
    for alias in ["one", "other"] {
        let index = |number: u32| &list[format!("{alias}-{number:06}")];
        let is_write = [1, 2, 3].map(|number| index(number)["aliases"][alias]["is_write_index"].as_bool());
        assert_eq!(is_write, [Some(false), Some(false), Some(true)]);
        let created = [1, 2, 3].map(|number| index(number)["settings"]["index"]["creation_date"].as_str());
        assert_eq!(created, [Some("1000"), Some("1010"), Some("1020")], "{alias}");
    }
}
