use super::*;
use crate::bulk::outcome::FAILURE_STORE;

#[test]
fn counts_and_outcomes_are_noted_together() {
    let (mut delivered, mut counts) = (Delivered::default(), Counts::default());
    delivered.index(&mut counts);
    delivered.duplicate(&mut counts);
    let in_failure_store = Refusal { error_type: FAILURE_STORE.to_owned(), ..Refusal::expired() };
    delivered.refuse(7, in_failure_store, 3, &mut counts);
    assert_eq!((counts.settled(), counts.in_failure_store), (3, 1));
    assert_eq!((delivered.indexed, delivered.duplicates), (1, 1));
    assert_eq!((delivered.refused[0].item, delivered.refused[0].status, delivered.refused[0].attempts), (7, 404, 3));
}

#[test]
fn documents_that_were_set_aside_can_be_taken_back() {
    let set_aside =
        |item| SetAside { item, index: "a".into(), is_looked_up: false, refusal: Refusal::expired(), attempts: 1 };
    let mut delivered = Delivered::default();
    delivered.set_aside(set_aside(1), &mut Counts::default());
    let mut counts = Counts::default();
    delivered.set_aside(set_aside(2), &mut counts);
    delivered.set_aside(set_aside(3), &mut counts);
    assert_eq!((counts.set_aside, delivered.set_aside_since(1).len(), counts.settled()), (2, 2, 0));
    assert_eq!(delivered.take_back(1, &mut counts), [2, 3]);
    assert_eq!((counts.set_aside, delivered.set_aside.len()), (0, 1));
    assert!(delivered.set_aside_since(5).is_empty());
}
