//! Tests what is read from committed offsets.

use super::*;

const P: Partition = Partition(0);
const Q: Partition = Partition(1);

fn note(run: i64, range: Range<i64>) -> String {
    Note { run, asked: "abc".to_owned(), range }.to_string()
}

#[test]
fn the_range_of_the_first_start_and_the_settled_offsets_are_restored() {
    let id = "0000000000000000000000000000002a".parse().unwrap();
    let with_id = format!("{};last=2a;{}", identity::metadata_of(id), note(5, 100..200));
    let committed = BTreeMap::from([
        (P, Committed::new(NextOffset(150), &with_id)),
        // Without an id, as on an old cluster, and read beyond its end.
        (Q, Committed::new(NextOffset(30), &note(5, 10..20))),
    ]);
    let checkpoint = Checkpoint::of(&committed).unwrap();
    assert_eq!(checkpoint.ranges, BTreeMap::from([(P, 100..200), (Q, 10..20)]));
    assert_eq!((checkpoint.settled, checkpoint.total()), (60, 110));
    assert_eq!(checkpoint.topic, Some(id));
    assert!(!checkpoint.is_complete());
    assert_eq!(checkpoint.notes()[&P], note(5, 100..200));
}

#[test]
fn notes_of_an_earlier_replay_are_ignored() {
    let committed = BTreeMap::from([
        (P, Committed::new(NextOffset(20), &note(6, 10..20))),
        (Q, Committed::new(NextOffset(0), &note(5, 0..50))),
    ]);
    let checkpoint = Checkpoint::of(&committed).unwrap();
    assert_eq!(checkpoint.ranges, BTreeMap::from([(P, 10..20)]));
    assert!(checkpoint.is_complete());
}

#[test]
fn foreign_commits_are_not_a_replay() {
    let committed =
        BTreeMap::from([(P, Committed::new(NextOffset(7), "")), (Q, Committed::new(NextOffset(7), "replay x"))]);
    assert_eq!(Checkpoint::of(&committed), None);
}
