//! The oracle, checked against events with known documents, and against values that must not count as equal.

use serde_json::{Value, json};

use super::{Oracle, same};
use crate::every_type;

#[test]
fn the_oracle_agrees_with_events_of_known_documents() {
    let mut oracle = Oracle::default();
    oracle.add(7, every_type::SCHEMA).unwrap();
    for number in 0..300 {
        let event = every_type::event(number);
        let document = Value::Object(oracle.document(7, &event.datum).unwrap());
        let expected = Value::Object(event.document);
        assert!(same(&document, &expected), "event {number}: {document:#}, not {expected:#}");
    }
}

#[test]
fn a_datum_that_is_cut_off_or_too_long_has_no_document() {
    let mut oracle = Oracle::default();
    oracle.add(7, every_type::SCHEMA).unwrap();
    let mut datum = every_type::event(1).datum;
    datum.push(0);
    assert!(oracle.document(7, &datum).is_err());
    assert!(oracle.document(7, &datum[..datum.len() / 2]).is_err());
    assert!(oracle.document(8, &every_type::event(1).datum).is_err(), "a schema that is not known");
}

#[test]
fn numbers_may_differ_in_their_last_digits_only() {
    assert!(same(&json!({"a": [0.1, 7]}), &json!({"a": [0.100_000_000_1, 7]})));
    for (left, right) in [
        (json!(0.1), json!(0.11)),
        (json!(7), json!(8)),
        (json!(i64::MAX), json!(i64::MAX - 1)),
        (json!({"a": 1}), json!({"a": 1, "b": null})),
        (json!([1, 2]), json!([2, 1])),
        (json!("1"), json!(1)),
    ] {
        assert!(!same(&left, &right), "{left} and {right}");
    }
}
