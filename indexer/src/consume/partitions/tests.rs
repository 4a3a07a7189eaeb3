//! Tests where a partition begins, what happens to its records, and which offsets are passed over.

use std::sync::Arc;

use kafka::position::Offset;
use registry::wire::SchemaId;

use super::super::need::Need;
use super::super::reading::Bounds;
use super::*;
use crate::message::record::Headers;

const P: Partition = Partition(0);
const OLD: &str = "topic-id=00000000000000000000000000000001";

fn service() -> Partitions {
    Partitions::new(Reading::service())
}

/// Creates the partitions of a command that reads offsets 10 to 20 and commits nothing.
fn command() -> Partitions {
    let ranges = BTreeMap::from([(P, 10..20)]);
    let notes = BTreeMap::new();
    Partitions::new(Reading::within(Bounds { ranges, rate: None, commits: false, notes, watched: Arc::default() }))
}

fn record(offset: i64, value: &[u8]) -> Record<'_> {
    let headers = Headers::default();
    Record { partition: P, offset: Offset(offset), timestamp: None, key: None, value: Some(value), headers }
}

/// Refuses records, but lets those with the value `w` wait.
fn decode(record: &Record<'_>, batch: &mut BatchBuilder) -> Decoded {
    if record.value == Some(b"w") {
        return Decoded::SchemaUnknown(SchemaId(1));
    }
    batch.refuse(record, None, "not-framed", String::new());
    Decoded::Undecodable
}

fn take(partitions: &mut Partitions, offset: i64, value: &[u8]) -> Taken {
    partitions.take(&record(offset, value), &mut decode)
}

fn settle_all(partitions: &mut Partitions) {
    if let Some(batch) = partitions.dispatch(Instant::now()) {
        partitions.books.ledger.settle(&batch.progress);
    }
}

#[test]
fn a_partition_begins_at_its_committed_offset_or_the_beginning() {
    let mut partitions = service();
    let at = |position| Beginning { position, is_of_old_topic: false };
    assert_eq!(partitions.assign(P, Some(NextOffset(7)), ""), at(Position::Offset(7)));
    assert_eq!(partitions.assign(P, None, ""), at(Position::Beginning));
}

#[test]
fn an_offset_of_a_deleted_topic_is_not_used() {
    let mut partitions = service();
    partitions.logs.identity.note("00000000000000000000000000000002".parse().unwrap());
    let beginning = partitions.assign(P, Some(NextOffset(7)), OLD);
    assert_eq!(beginning, Beginning { position: Position::Beginning, is_of_old_topic: true });
    assert!(partitions.logs.identity.strangers().is_empty());
}

#[test]
fn a_command_reads_its_range_and_commits_nothing() {
    let mut partitions = command();
    assert_eq!(partitions.assign(P, None, "").position, Position::Offset(10));
    assert!(matches!(take(&mut partitions, 19, b"v"), Taken::Record(None)));
    assert!(partitions.is_free(P));
    assert!(matches!(take(&mut partitions, 20, b"v"), Taken::Beyond));
    assert!(!partitions.is_free(P));
    assert_eq!(partitions.assign(Partition(1), None, "").position, Position::End, "it is not to be read");
    settle_all(&mut partitions);
    assert_eq!(partitions.take_commits(), [], "it commits nothing");
}

#[test]
fn the_record_before_the_committed_offset_identifies_the_log() {
    let mut before = service();
    before.assign(P, Some(NextOffset(7)), "");
    take(&mut before, 7, b"v");
    settle_all(&mut before);
    let metadata = before.metadata(P, NextOffset(8)).unwrap();
    for (value, is_same) in [(b"v".as_slice(), true), (b"another".as_slice(), false)] {
        let mut partitions = service();
        assert_eq!(partitions.assign(P, Some(NextOffset(8)), &metadata).position, Position::Offset(7));
        let taken = take(&mut partitions, 7, value);
        assert_eq!(matches!(taken, Taken::Settled), is_same, "{taken:?}");
        assert_eq!(matches!(taken, Taken::OtherLog), !is_same, "{taken:?}");
        partitions.pass(BTreeMap::from([(P, NextOffset(20))]));
        let read_position = if is_same { NextOffset(20) } else { NextOffset(8) };
        assert_eq!(partitions.books.read_position(P), Some(read_position), "another log is not passed over");
        partitions.begin_at_start(P);
        assert!(partitions.logs.marks.others().is_empty());
        assert_eq!(partitions.books.read_position(P), None);
    }
}

#[test]
fn nothing_is_passed_over_while_a_record_waits() {
    let mut partitions = service();
    partitions.assign(P, Some(NextOffset(7)), "");
    let Taken::Record(Some(waits)) = take(&mut partitions, 7, b"w") else { panic!("it does not wait") };
    assert!(waits.need == Need::Schema(SchemaId(1)) && waits.ask && !partitions.is_free(P));
    partitions.pass(BTreeMap::from([(P, NextOffset(9))]));
    partitions.revoke(P);
    assert!(partitions.is_free(P) && partitions.books.builder.is_empty());
}

#[test]
fn a_commit_counts_only_for_its_own_assignment() {
    let mut partitions = service();
    for is_late in [false, true] {
        partitions.assign(P, Some(NextOffset(7)), "");
        partitions.logs.lag.note(P, NextOffset(0), NextOffset(10));
        take(&mut partitions, 7, b"v");
        settle_all(&mut partitions);
        let offsets = partitions.take_commits();
        assert_eq!(offsets, [(P, NextOffset(8))]);
        if is_late {
            partitions.assign(P, Some(NextOffset(7)), "");
            partitions.logs.lag.note(P, NextOffset(0), NextOffset(10));
        }
        partitions.committed(&offsets);
        assert_eq!(partitions.logs.lag.of(P), Some(if is_late { 3 } else { 2 }));
    }
}
