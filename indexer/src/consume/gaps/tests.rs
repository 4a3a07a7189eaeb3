use kafka::position::Offset;

use super::*;

const P: Partition = Partition(0);

fn read_positions(at: i64) -> BTreeMap<Partition, NextOffset> {
    BTreeMap::from([(P, NextOffset(at))])
}

fn jump(from: i64, to: i64) -> Vec<Jump> {
    vec![Jump { partition: P, from: NextOffset(from), to: Offset(to) }]
}

fn loss(from: i64, to: i64, is_ahead: bool) -> Vec<Loss> {
    vec![Loss { partition: P, from: NextOffset(from), to: NextOffset(to), is_ahead }]
}

#[test]
fn a_gap_above_the_start_of_the_log_is_not_a_loss() {
    let mut gaps = Gaps::default();
    gaps.begin(jump(10, 11), read_positions(20));
    assert_eq!(gaps.losses(P, NextOffset(10), Some(NextOffset(20))), []);
}

#[test]
fn the_part_of_a_gap_below_the_start_of_the_log_is_lost() {
    let mut gaps = Gaps::default();
    gaps.begin(jump(10, 60), read_positions(70));
    assert_eq!(gaps.losses(P, NextOffset(50), Some(NextOffset(70))), loss(10, 50, false));
    gaps.begin(jump(70, 80), read_positions(90));
    assert_eq!(gaps.losses(P, NextOffset(200), Some(NextOffset(95))), loss(70, 80, false));
}

#[test]
fn reading_that_stays_below_the_start_twice_has_lost_records() {
    let mut gaps = Gaps::default();
    gaps.begin(vec![], read_positions(100));
    assert_eq!(gaps.losses(P, NextOffset(200), Some(NextOffset(100))), []);
    gaps.begin(vec![], read_positions(100));
    assert_eq!(gaps.losses(P, NextOffset(250), Some(NextOffset(100))), loss(100, 250, true));
    gaps.begin(vec![], read_positions(250));
    assert_eq!(gaps.losses(P, NextOffset(250), Some(NextOffset(250))), []);
}

#[test]
fn records_fetched_before_retention_deleted_them_are_not_lost() {
    let mut gaps = Gaps::default();
    gaps.begin(vec![], read_positions(100));
    assert_eq!(gaps.losses(P, NextOffset(200), Some(NextOffset(100))), []);
    gaps.begin(vec![], read_positions(100));
    assert_eq!(gaps.losses(P, NextOffset(200), Some(NextOffset(150))), [], "they came meanwhile");
}
