use super::*;

const UNLED: &str = "no broker leads a partition";
const SHORT: &str = "no partition has as many replicas in sync as min.insync.replicas requires";

/// Partitions as `(has_leader, replicas, in_sync)`.
fn found(partitions: &[(bool, usize, usize)], min_in_sync: Option<usize>) -> Option<&'static str> {
    let of = |&(has_leader, replicas, in_sync): &(bool, usize, usize)| Replication { has_leader, replicas, in_sync };
    let rule = min_in_sync.map(|min_in_sync| Rule { max_bytes: 1_000, compacted: false, min_in_sync });
    obstacle(partitions.iter().map(of), rule)
}

#[test]
fn a_topic_without_enough_replicas_in_sync_accepts_no_records() {
    assert_eq!(found(&[(true, 3, 1)], Some(2)), Some(SHORT));
    assert_eq!(found(&[(true, 3, 1), (true, 3, 1)], Some(2)), Some(SHORT));
    assert_eq!(found(&[(false, 3, 3), (true, 3, 1)], Some(2)), Some(SHORT));
    assert_eq!(found(&[(true, 3, 2)], Some(2)), None);
    assert_eq!(found(&[(true, 3, 1), (true, 3, 3)], Some(2)), None, "one partition is enough");
    assert_eq!(found(&[(true, 1, 1)], Some(2)), None, "there are no more replicas");
    assert_eq!(found(&[(true, 3, 1)], None), None, "Kafka does not say how many it needs");
    assert_eq!(found(&[(true, 3, 0)], Some(2)), None, "Kafka does not say which are in sync");
}

#[test]
fn a_topic_without_a_leader_accepts_no_records() {
    for min_in_sync in [None, Some(1), Some(2)] {
        assert_eq!(found(&[], min_in_sync), Some(UNLED));
        assert_eq!(found(&[(false, 3, 3), (false, 3, 0)], min_in_sync), Some(UNLED));
        assert_eq!(found(&[(false, 3, 0), (true, 3, 3)], min_in_sync), None);
    }
}
