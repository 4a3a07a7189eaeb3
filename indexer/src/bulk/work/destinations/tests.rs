use super::*;
use crate::bulk::tests::batch_of;
use crate::message::target::{Age, Route, Target};

/// Creates a batch of three documents. The last one goes to the index `b`, the others to `a`.
fn batch() -> Batch {
    let mut batch = batch_of(&["x", "y", "z"]);
    batch.targets = ["a", "b"]
        .map(|index| Target { index: index.into(), route: Route::default(), look_up: false, age: Age::Current })
        .into();
    batch.items[2].target = 1;
    batch
}

#[test]
fn documents_go_where_their_batch_says_until_they_are_moved() {
    let batch = batch();
    let mut destinations = Destinations::new(&batch, true);
    assert_eq!(destinations.of_first(), "a");
    assert_eq!(destinations.of_all(&[0, 1]).as_deref(), Some("a"));
    assert_eq!(destinations.of_all(&[1, 2]), None);
    destinations.set(1, "a".into());
    assert!(destinations.moved().is_empty(), "it goes there anyway");
    destinations.set(1, "b".into());
    assert_eq!(destinations.of_all(&[1, 2]).as_deref(), Some("b"));
    assert_eq!(destinations.parts(vec![0, 1, 2]), [vec![0], vec![1, 2]]);
}

#[test]
fn documents_to_place_again_are_taken_once() {
    let batch = batch();
    let mut destinations = Destinations::new(&batch, true);
    assert!(!destinations.place_again_if(false, 0) && !destinations.has_unplaced());
    assert!(destinations.place_again_if(true, 1) && destinations.has_unplaced());
    assert_eq!(destinations.take_unplaced(), [1]);
    assert!(!destinations.has_unplaced());
}
