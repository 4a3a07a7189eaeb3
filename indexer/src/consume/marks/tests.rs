use kafka::position::Offset;

use super::*;
use crate::message::record::Headers;

const P: Partition = Partition(3);

fn record(offset: i64, key: &[u8]) -> Record<'_> {
    let headers = Headers::from_bytes(&[]);
    let (partition, offset, timestamp) = (P, Offset(offset), Some(1_700_000_000_000));
    Record { partition, offset, timestamp, key: Some(key), value: Some(b"value"), headers }
}

/// Returns the metadata of a commit of offset 10, after record 9 with `key`.
fn committed(key: &[u8]) -> String {
    let mut marks = Marks::default();
    assert_eq!(marks.assign(P, "topic-id=1", NextOffset(9)), NextOffset(9));
    assert_eq!(marks.see(&record(9, key)), Seen::New);
    assert_eq!(marks.metadata(P, NextOffset(10)), None, "it is not sent yet");
    marks.send();
    assert_eq!(marks.see(&record(10, b"next")), Seen::New);
    marks.send();
    assert_eq!(marks.metadata(P, NextOffset(12)), None);
    format!("topic-id=1;{}", marks.metadata(P, NextOffset(10)).unwrap())
}

#[test]
fn the_record_before_the_committed_offset_is_compared_not_taken() {
    let mut marks = Marks::default();
    assert_eq!(marks.assign(P, &committed(b"a"), NextOffset(10)), NextOffset(9));
    assert_eq!(marks.see(&record(9, b"a")), Seen::Settled);
    assert_eq!(marks.see(&record(10, b"b")), Seen::New);
    assert!(marks.others().is_empty());
}

#[test]
fn a_different_record_means_another_log_until_it_is_read_again() {
    let mut marks = Marks::default();
    marks.assign(P, &committed(b"a"), NextOffset(10));
    assert!(!marks.is_other(P));
    for offset in 9..12 {
        assert_eq!(marks.see(&record(offset, b"b")), Seen::Other);
        assert!(marks.is_other(P), "nothing of it may be passed over");
    }
    assert_eq!(marks.others(), [P]);
    marks.forget(P);
    assert!(!marks.is_other(P));
    assert_eq!(marks.see(&record(0, b"b")), Seen::New);
    assert!(marks.others().is_empty());
    marks.assign(P, &committed(b"a"), NextOffset(10));
    assert_eq!(marks.see(&record(9, b"b")), Seen::Other);
    marks.assign(P, "", NextOffset(0));
    assert!(!marks.is_other(P), "another assignment begins anew");
}

#[test]
fn a_deleted_or_earlier_record_is_not_compared() {
    for offset in [3, 10, 20] {
        let mut marks = Marks::default();
        marks.assign(P, &committed(b"a"), NextOffset(10));
        assert_eq!(marks.see(&record(offset, b"b")), Seen::New);
    }
}

#[test]
fn an_offset_without_a_mark_is_trusted_and_marks_are_bounded() {
    let mut marks = Marks::default();
    for metadata in ["", "topic-id=1", "last=", "last=x", "what a tool wrote"] {
        assert_eq!(marks.assign(P, metadata, NextOffset(10)), NextOffset(10));
    }
    assert_eq!(marks.assign(P, "last=1", NextOffset(0)), NextOffset(0));
    for offset in 10..1_000 {
        marks.see(&record(offset, b"a"));
        marks.send();
    }
    assert_eq!(marks.partitions[&P].sent.len(), MAX_SENT);
}
