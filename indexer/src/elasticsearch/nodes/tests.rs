use super::*;

#[test]
fn nodes_take_turns() {
    let now = Instant::now();
    let mut nodes = Nodes::new(3);
    let chosen: Vec<usize> = (0..6).map(|_| nodes.choose(now).0).collect();
    assert_eq!(chosen, [0, 1, 2, 0, 1, 2]);
}

#[test]
fn a_failed_node_is_avoided_for_growing_times() {
    let start = Instant::now();
    let mut nodes = Nodes::new(2);
    let mut at = start;
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        nodes.failed(0, at);
        let until = at + Duration::from_secs(seconds);
        assert_eq!(nodes.choose(until - Duration::from_millis(1)).0, 1);
        assert_eq!(nodes.choose(until - Duration::from_millis(1)).0, 1);
        assert_eq!(nodes.choose(until).0, 0, "after {seconds} s");
        at = until;
    }
    nodes.succeeded(0);
    assert_eq!([nodes.choose(at), nodes.choose(at)], [(1, false), (0, true)]);
}

#[test]
fn if_all_have_failed_the_first_due_node_is_tried() {
    let now = Instant::now();
    let mut nodes = Nodes::new(2);
    nodes.failed(0, now);
    nodes.failed(0, now + Duration::from_secs(1));
    nodes.failed(1, now + Duration::from_secs(1));
    assert_eq!(nodes.choose(now + Duration::from_secs(1)), (1, false));
}

#[test]
fn requests_that_fail_together_count_as_one_failure() {
    let now = Instant::now();
    let mut nodes = Nodes::new(2);
    for _ in 0..8 {
        nodes.failed(0, now);
    }
    nodes.succeeded(1);
    let chosen: Vec<usize> = (0..2).map(|_| nodes.choose(now + Duration::from_secs(1)).0).collect();
    assert!(chosen.contains(&0), "it is tried again after the first wait");
}
