use std::convert::Infallible;
use std::time::{Duration, Instant};

use kafka::position::NextOffset;

use super::*;
use crate::message::progress::Epoch;
use crate::message::record::{Headers, Record};

const SCHEMA: SchemaId = SchemaId(7);

fn record(partition: i32, offset: i64) -> Record<'static> {
    Record {
        partition: Partition(partition),
        offset: Offset(offset),
        timestamp: Some(1),
        key: Some(b"key"),
        value: Some(b"value"),
        headers: Headers::default(),
    }
}

fn filling() -> BatchBuilder {
    let mut filling = BatchBuilder::default();
    filling.assign(Partition(0), Epoch(10), None);
    filling.assign(Partition(1), Epoch(11), None);
    filling
}

fn append(filling: &mut BatchBuilder, record: &Record<'_>, lines: &[u8]) {
    let written: Result<(), Infallible> = filling.append(record, SCHEMA, |draft| {
        draft.body.extend_from_slice(lines);
        Ok(())
    });
    written.unwrap();
}

#[test]
fn a_batch_holds_lines_records_and_progress() {
    let mut filling = filling();
    append(&mut filling, &record(0, 5), b"one\n");
    append(&mut filling, &record(1, 9), b"two\n");
    filling.skip(&record(0, 6));
    filling.refuse(&record(1, 12), None, "not-framed", "why".to_owned());
    let batch = filling.take(BatchId(1));

    assert_eq!(batch.body, "one\ntwo\n");
    assert_eq!(batch.body[batch.items[1].body.clone()], *b"two\n");
    let dead = &batch.undecodable[0];
    assert_eq!(batch.raw[dead.origin.key.clone().unwrap()], *b"key");
    assert_eq!(batch.raw[dead.origin.value.clone()], *b"value");
    assert_eq!(
        batch.progress,
        [
            Progress { partition: Partition(0), epoch: Epoch(10), first: Offset(5), next: NextOffset(7) },
            Progress { partition: Partition(1), epoch: Epoch(11), first: Offset(9), next: NextOffset(13) },
        ]
    );
    assert!(filling.is_empty());
}

#[test]
fn a_failed_write_leaves_the_batch_unchanged() {
    let mut filling = filling();
    append(&mut filling, &record(0, 5), b"one\n");
    let failed = filling.append(&record(0, 6), SCHEMA, |draft| {
        draft.body.extend_from_slice(b"half");
        Err("no")
    });
    assert_eq!(failed, Err("no"));
    let batch = filling.take(BatchId(1));
    assert_eq!(batch.body, "one\n");
    assert_eq!(batch.progress[0].next, NextOffset(6));
}

#[test]
fn skipped_records_alone_make_a_batch() {
    let mut filling = filling();
    filling.skip(&record(0, 5));
    assert!(!filling.is_empty());
    let batch = filling.take(BatchId(1));
    assert!(batch.items.is_empty());
    assert_eq!(batch.progress[0].next, NextOffset(6));
}

#[test]
fn the_age_counts_from_the_first_record() {
    let mut filling = filling();
    let start = Instant::now();
    filling.open_with(|| start);
    assert_eq!(filling.age(start + Duration::from_secs(9)), Duration::ZERO, "an empty batch has no age");
    filling.skip(&record(0, 5));
    filling.open_with(|| start + Duration::from_secs(1));
    filling.open_with(|| start + Duration::from_secs(2));
    assert_eq!(filling.age(start + Duration::from_secs(4)), Duration::from_secs(3));
}

#[test]
fn held_bytes_are_the_same_before_and_after_taking_the_batch() {
    let mut filling = filling();
    append(&mut filling, &record(0, 5), b"one\n");
    filling.refuse(&record(1, 12), None, "not-framed", "why".to_owned());
    let held = filling.held_bytes();
    assert_eq!(filling.take(BatchId(1)).held_bytes(), held);
    assert_eq!(filling.held_bytes(), 0);
}

/// Appends a document of `route` that goes to `index`; returns whether its action line has to name that.
fn append_to(filling: &mut BatchBuilder, offset: i64, route: u16, index: &str) -> bool {
    let target = Target { index: index.into(), route: Route(route), look_up: false, age: Age::Current };
    let mut is_named = false;
    let written: Result<(), Infallible> = filling.append(&record(0, offset), SCHEMA, |draft| {
        draft.body.extend_from_slice(format!("{offset};").as_bytes());
        is_named = draft.set_target(&target, offset);
        Ok(())
    });
    written.unwrap();
    is_named
}

#[test]
fn the_part_of_an_index_set_has_its_documents_in_their_order() {
    let mut filling = filling();
    let named = [(0, "a-1"), (2, "c-1"), (0, "a-2"), (2, "c-1"), (2, "c-2"), (0, "a-1")];
    let named: Vec<bool> =
        (0..).zip(named).map(|(offset, (route, index))| append_to(&mut filling, offset, route, index)).collect();
    assert_eq!(named, [false, false, true, false, true, false], "the first index of each set is not named");
    filling.refuse(&record(0, 6), None, "not-framed", "why".to_owned());
    let batch = filling.take(BatchId(1));
    for (route, numbers, targets, lines) in [
        (0, vec![0, 2, 5], vec!["a-1", "a-2"], vec!["0;", "2;", "5;"]),
        (2, vec![1, 3, 4], vec!["c-1", "c-2"], vec!["1;", "3;", "4;"]),
        (1, vec![], vec![], vec![]),
    ] {
        let (part, items) = batch.part(Route(route));
        assert_eq!(items, numbers, "{route}");
        assert_eq!(part.targets.iter().map(|target| &*target.index).collect::<Vec<_>>(), targets);
        let line = |item: &Item| std::str::from_utf8(&part.body[item.body.clone()]).unwrap().to_owned();
        assert_eq!(part.items.iter().map(line).collect::<Vec<_>>(), lines);
        let index = |item: &Item| part.targets[item.target as usize].index.to_string();
        let original = |number: &usize| batch.targets[batch.items[*number].target as usize].index.to_string();
        assert_eq!(part.items.iter().map(index).collect::<Vec<_>>(), items.iter().map(original).collect::<Vec<_>>());
        assert!(part.undecodable.is_empty() && part.progress.is_empty(), "those are settled with the batch");
    }
}

#[test]
fn a_batch_of_one_document_stays_in_its_index_set() {
    let mut filling = filling();
    append_to(&mut filling, 0, 0, "a-1");
    append_to(&mut filling, 1, 3, "d-1");
    let batch = filling.take(BatchId(1));
    assert_eq!(batch.only(1, "d-2".into()).targets[0].route, Route(3));
}
