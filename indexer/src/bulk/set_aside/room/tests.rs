use futures::FutureExt;

use super::*;

#[test]
fn a_document_waits_until_there_is_room_for_its_bytes() {
    // A quarter of it: 8 KiB.
    let room = Room::new(32 << 10);
    let first = room.take(5 << 10).now_or_never().expect("there is room");
    assert!(room.take(4 << 10).now_or_never().is_none(), "9 KiB are too many");
    let small = room.take(3 << 10).now_or_never();
    assert!(small.is_some());
    drop(first);
    assert!(room.take(4 << 10).now_or_never().is_some());
}

#[test]
fn one_that_is_larger_than_all_there_is_takes_all_of_it() {
    let room = Room::new(32 << 10);
    let large = room.take(1 << 30).now_or_never().expect("it would wait without end");
    assert!(room.take(1).now_or_never().is_none());
    drop(large);
    assert!(room.take(1).now_or_never().is_some());
}

#[test]
fn so_many_documents_are_set_aside_and_no_more() {
    let room = Room::new(1 << 30);
    let places: Vec<Place> = (0..MAX_DOCUMENTS).map(|_| room.take(1).now_or_never().unwrap()).collect();
    assert!(room.take(1).now_or_never().is_none());
    drop(places);
    assert!(room.take(1).now_or_never().is_some());
}
