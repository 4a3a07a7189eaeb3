//! Tests what is within the bounds, and when reading ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::batch::BatchBuilder;
use crate::decode::Decoded;
use crate::message::record::{Headers, Record};

const P: Partition = Partition(0);
const Q: Partition = Partition(1);

fn bounds() -> Bounds {
    Bounds {
        ranges: BTreeMap::from([(P, 10..20)]),
        rate: None,
        commits: true,
        notes: BTreeMap::from([(P, "note".to_owned())]),
        watched: Arc::default(),
    }
}

fn take(books: &mut Books, offset: i64) {
    let headers = Headers::default();
    let record =
        Record { partition: P, offset: Offset(offset), timestamp: None, key: None, value: Some(b"v"), headers };
    books.take(&record, &mut |record: &Record<'_>, batch: &mut BatchBuilder| {
        batch.refuse(record, None, "not-framed", String::new());
        Decoded::Undecodable
    });
}

#[test]
fn a_service_reads_everything() {
    let mut reading = Reading::service();
    assert!(!reading.open(P, None) && !reading.is_beyond(P, Offset(i64::MAX - 1)) && !reading.is_closed(P));
    assert_eq!(reading.within_range(P, NextOffset(7)), Some(NextOffset(7)));
    assert_eq!(reading.allowance(256, Instant::now()), 256);
    assert!(reading.commits() && reading.note(P).is_none());
    assert!(!reading.is_at_end(&Books::default(), Instant::now()));
}

#[test]
fn a_partition_is_closed_at_its_end_or_outside_the_ranges() {
    let mut reading = Reading::within(bounds());
    assert!(!reading.open(P, Some(NextOffset(19))));
    assert!(reading.open(P, Some(NextOffset(20))), "it was read to its end by an earlier run");
    assert!(reading.open(Q, None), "it is not to be read");
    assert!(!reading.open(P, Some(NextOffset(10))) && !reading.is_closed(P));
    assert!(!reading.is_beyond(P, Offset(19)) && !reading.is_closed(P));
    assert!(reading.is_beyond(P, Offset(20)) && reading.is_closed(P));
    assert_eq!(reading.within_range(P, NextOffset(25)), Some(NextOffset(20)));
    assert_eq!(reading.within_range(Q, NextOffset(25)), None);
    assert_eq!((reading.note(P), reading.note(Q)), (Some("note"), None));
}

#[test]
fn reading_ends_when_the_last_record_of_the_ranges_is_settled() {
    let bounds = bounds();
    let watched = Arc::clone(&bounds.watched);
    let (mut reading, mut books, now) = (Reading::within(bounds), Books::default(), Instant::now());
    books.assign(P, Some(NextOffset(10)));
    take(&mut books, 18);
    assert!(!reading.is_at_end(&books, now));
    assert_eq!(watched.passed.load(Ordering::Relaxed), 9);
    take(&mut books, 19);
    let batch = books.dispatch(now).unwrap();
    assert!(!reading.is_at_end(&books, now), "it is in flight");
    books.ledger.settle(&batch.progress);
    assert!(reading.is_at_end(&books, now) && watched.is_complete.load(Ordering::Relaxed));
}

#[test]
fn reading_ends_if_another_member_keeps_a_partition_of_the_ranges() {
    let bounds = bounds();
    let watched = Arc::clone(&bounds.watched);
    let (mut reading, books, now) = (Reading::within(bounds), Books::default(), Instant::now());
    assert!(!reading.is_at_end(&books, now));
    assert!(!reading.is_at_end(&books, now + SHARED_PATIENCE / 2));
    assert!(reading.is_at_end(&books, now + SHARED_PATIENCE) && watched.is_shared.load(Ordering::Relaxed));
}
