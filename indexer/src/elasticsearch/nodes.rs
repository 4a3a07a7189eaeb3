//! Which node gets the next request. Pure.
//!
//! In turn, without those that failed lately: a node that failed is left alone for a time that doubles with each
//! failure, then tried again. When all have failed, the one whose time is up first is tried at once: there is nothing
//! better to do.

use std::time::{Duration, Instant};

use crate::backoff::Backoff;

const AVOID: Backoff = Backoff { initial: Duration::from_secs(1), max: Duration::from_secs(60) };

/// What is known of each node.
#[derive(Debug)]
pub(super) struct Nodes {
    nodes: Vec<State>,
    next: usize,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// Whether the last request to it was answered.
    proven: bool,
    failures: u32,
    avoid_until: Option<Instant>,
}

impl Nodes {
    /// Nothing is known yet of `count` nodes.
    pub(super) fn new(count: usize) -> Self {
        Self { nodes: vec![State::default(); count], next: 0 }
    }

    /// Returns the index of the node for the next request, and whether its last request was answered.
    pub(super) fn choose(&mut self, now: Instant) -> (usize, bool) {
        let count = self.nodes.len();
        let in_turn = (0..count).map(|step| (self.next + step) % count);
        let well = in_turn.clone().find(|node| self.nodes[*node].avoid_until.is_none_or(|until| until <= now));
        let chosen = well.or_else(|| in_turn.min_by_key(|node| self.nodes[*node].avoid_until)).unwrap_or(0);
        self.next = (chosen + 1) % count.max(1);
        let proven = self.nodes.get(chosen).is_some_and(|node| node.proven);
        (chosen, proven)
    }

    /// A request to `node` was answered.
    pub(super) fn succeeded(&mut self, node: usize) {
        self.nodes[node] = State { proven: true, failures: 0, avoid_until: None };
    }

    /// A request to `node` was not answered.
    pub(super) fn failed(&mut self, node: usize, now: Instant) {
        let state = &mut self.nodes[node];
        // Those that fail together count once.
        if state.avoid_until.is_some_and(|until| until > now) && state.failures > 0 {
            return;
        }
        state.proven = false;
        state.failures = state.failures.saturating_add(1);
        state.avoid_until = Some(now + AVOID.longest(state.failures));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_get_requests_in_turn() {
        let now = Instant::now();
        let mut nodes = Nodes::new(3);
        let chosen: Vec<usize> = (0..6).map(|_| nodes.choose(now).0).collect();
        assert_eq!(chosen, [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn a_node_that_failed_is_left_alone_for_a_while_that_grows() {
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
    fn when_all_have_failed_the_first_to_be_due_is_tried() {
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
}
