use kafka::position::Offset;
use registry::wire::SchemaId;

use super::*;
use crate::message::record::Headers;
use crate::message::target::Route;

const A: Need = Need::Schema(SchemaId(1));
const B: Need = Need::Table(Route(0), 7);

fn record(partition: i32, offset: i64) -> Record<'static> {
    Record {
        partition: Partition(partition),
        offset: Offset(offset),
        timestamp: None,
        key: None,
        value: Some(b"1234"),
        headers: Headers::default(),
    }
}

#[test]
fn a_schema_is_requested_once_for_all_waiting_records() {
    let mut parked = Parked::default();
    assert!(parked.park(&record(0, 1), A));
    assert!(!parked.park(&record(1, 1), A));
    assert!(parked.park(&record(2, 1), B));
}

#[test]
fn an_answer_releases_the_records_of_its_schema_in_order() {
    let mut parked = Parked::default();
    parked.park(&record(0, 1), A);
    parked.queue(&record(0, 2));
    parked.park(&record(1, 7), B);
    assert_eq!(parked.bytes(), 12);
    assert_eq!(parked.counts(), [("schema", 1), ("table", 1)]);

    let released = parked.release(A);
    assert_eq!(released.len(), 1);
    let offsets: Vec<i64> = released[0].1.iter().map(|record| record.as_record().offset.0).collect();
    assert_eq!(offsets, [1, 2]);
    assert!(!parked.holds(Partition(0)) && parked.holds(Partition(1)));
    assert_eq!(parked.bytes(), 4);
}

#[test]
fn each_partition_waits_for_its_own_time_only() {
    let mut parked = Parked::default();
    let (soon, ahead) = (Need::Table(Route(0), 1_000), Need::Table(Route(0), 60_000));
    assert!(parked.park(&record(0, 1), ahead));
    assert!(parked.park(&record(1, 1), soon), "nobody has asked for a table of that time");
    assert_eq!(parked.release(soon).len(), 1);
    assert!(parked.holds(Partition(0)) && !parked.holds(Partition(1)));
}

#[test]
fn a_revoked_partition_no_longer_waits() {
    let mut parked = Parked::default();
    parked.park(&record(0, 1), A);
    parked.revoke(Partition(0));
    assert_eq!(parked.bytes(), 0);
    assert!(parked.release(A).is_empty());
}
