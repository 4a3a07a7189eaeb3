use futures::FutureExt;

use super::*;

#[test]
fn a_document_waits_until_there_is_room_for_its_bytes() {
    // A quarter: 8 KiB.
    let room = Room::new(32 << 10);
    let first = room.take(5 << 10).now_or_never().expect("there is room");
    assert!(room.take(4 << 10).now_or_never().is_none(), "9 KiB are too many");
    let small = room.take(3 << 10).now_or_never();
    assert!(small.is_some());
    drop(first);
    assert!(room.take(4 << 10).now_or_never().is_some());
}

#[test]
fn a_document_larger_than_the_room_takes_all_of_it() {
    let room = Room::new(32 << 10);
    let large = room.take(1 << 30).now_or_never().expect("it would wait without end");
    assert!(room.take(1).now_or_never().is_none());
    drop(large);
    assert!(room.take(1).now_or_never().is_some());
}

#[test]
fn the_number_of_documents_set_aside_is_bounded() {
    let room = Room::new(1 << 30);
    let places: Vec<Place> = (0..MAX_DOCUMENTS).map(|_| room.take(1).now_or_never().unwrap()).collect();
    assert!(room.take(1).now_or_never().is_none());
    drop(places);
    assert!(room.take(1).now_or_never().is_some());
}
