use super::*;

/// Their events are in the new index only.
#[test]
fn partitions_that_came_after_the_swap_are_read_from_their_beginning() {
    let partitions: Vec<Partition> = (0..4).map(Partition).collect();
    let from: Bound = "0:120,1:98".parse().unwrap();
    let all = with_new_partitions(from.clone(), &partitions);
    assert_eq!(all, "0:120,1:98,2:0,3:0".parse().unwrap());
    assert_eq!(with_new_partitions(from.clone(), &partitions[..2]), from, "so that a replay goes on");
}
