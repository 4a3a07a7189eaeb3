use super::*;

#[test]
fn ranges_reach_the_end_of_the_log_and_cover_new_partitions() {
    let offsets = |offsets: [i64; 3]| (0..).map(Partition).zip(offsets).collect::<BTreeMap<_, _>>();
    let mut ranges = BTreeMap::from([(Partition(0), 5..10), (Partition(1), 7..30)]);
    lengthen(&mut ranges, &offsets([0, 0, 3]), &offsets([12, 20, 9]));
    let expected = BTreeMap::from([(Partition(0), 5..12), (Partition(1), 7..30), (Partition(2), 3..9)]);
    assert_eq!(ranges, expected, "a log that was truncated shortens none");
}

#[test]
fn only_a_replay_that_names_no_partitions_reads_all() {
    let args = |from: &str, partition: Vec<i32>| ReplayArgs {
        from: from.parse().unwrap(),
        partition,
        ..ReplayArgs::default()
    };
    assert!(named(&args("24h", Vec::new())).is_empty());
    assert_eq!(named(&args("0:5", vec![1])), [[Partition(1)].into(), [Partition(0)].into()]);
}
