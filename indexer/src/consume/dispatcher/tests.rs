use kafka::position::{NextOffset, Offset, Partition};

use super::*;
use crate::decode::Decoded;
use crate::message::progress::BatchId;
use crate::message::record::{Headers, Record};

const P: Partition = Partition(0);

/// Creates a dispatcher with one batch in flight at a time and a limit of bytes.
fn dispatcher(max_bytes: u64) -> Dispatcher {
    let mut config = Config::default();
    config.indexer.max_in_flight_bytes = bytesize::ByteSize(max_bytes);
    config.indexer.max_in_flight_requests = 1;
    Dispatcher::new(&config)
}

fn take(books: &mut Books, offset: i64) {
    let headers = Headers::default();
    let record =
        Record { partition: P, offset: Offset(offset), timestamp: None, key: None, value: Some(b"value"), headers };
    books.take(&record, &mut |record, batch| {
        batch.refuse(record, None, "not-framed", String::new());
        Decoded::Undecodable
    });
}

#[test]
fn consuming_stops_at_the_byte_limit_and_resumes_at_half() {
    let mut dispatcher = dispatcher(10_000);
    let mut books = Books::default();
    books.assign(P, Some(NextOffset(0)));
    take(&mut books, 0);
    assert!(dispatcher.has_room(&books, usize::MAX));
    let batch = books.dispatch(Instant::now()).unwrap();
    let held_bytes = 9_990;
    dispatcher.budget.start(held_bytes);
    take(&mut books, 1);
    assert!(!dispatcher.has_room(&books, usize::MAX) && !dispatcher.has_drained(&books, usize::MAX));
    assert!(dispatcher.held_bytes(&books) > 10_000, "what is being filled counts");
    let settled = Settled { id: BatchId(1), progress: batch.progress, held_bytes, was_set_aside: false };
    dispatcher.settle(&settled, &mut books.ledger);
    assert!(dispatcher.has_room(&books, usize::MAX) && dispatcher.has_drained(&books, usize::MAX));
    assert_eq!(books.ledger.take_commits(), [(P, NextOffset(1))]);
}

#[test]
fn set_aside_documents_hold_the_offset_but_no_slot() {
    let mut dispatcher = dispatcher(10_000);
    let mut books = Books::default();
    books.assign(P, Some(NextOffset(0)));
    take(&mut books, 0);
    let batch = books.dispatch(Instant::now()).unwrap();
    dispatcher.budget.start(100);
    let progress = batch.progress;
    dispatcher.set_aside(&SetAside { progress: progress.clone(), freed_bytes: 60 }, &mut books.ledger);
    assert!(dispatcher.budget.has_batch() && !books.ledger.is_open(&[P]));
    assert_eq!((dispatcher.held_bytes(&books), books.ledger.take_commits()), (40, vec![]));
    let settled = Settled { id: BatchId(1), progress, held_bytes: 40, was_set_aside: true };
    dispatcher.settle(&settled, &mut books.ledger);
    assert_eq!(dispatcher.held_bytes(&books), 0);
    assert_eq!(books.ledger.take_commits(), [(P, NextOffset(1))]);
}

#[test]
fn a_poll_waits_at_most_until_the_batch_is_due() {
    let mut config = Config::default();
    let longest = Duration::from_millis(50);
    let mut books = Books::default();
    books.assign(P, Some(NextOffset(0)));
    for (max_age, expected) in [(Duration::from_secs(60), longest), (Duration::ZERO, REPORT_POLL)] {
        config.indexer.batch.max_age = max_age;
        let dispatcher = Dispatcher::new(&config);
        take(&mut books, 0);
        books.builder.open_with(Instant::now);
        assert_eq!(dispatcher.poll_wait(&books, longest), expected);
        books.dispatch(Instant::now());
        assert_eq!(dispatcher.poll_wait(&books, longest), longest, "nothing is being filled");
    }
}
