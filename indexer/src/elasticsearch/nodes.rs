//! Chooses the node for the next request. Pure.
//!
//! Nodes take turns, except for those that failed lately: a failed node is avoided for a time that doubles with each
//! failure, and is then tried again. If all have failed, the node whose time ends first is tried immediately.
//!
//! The registry's addresses (`registry::nodes`) follow another rule, so the two share no code. A request to the
//! registry asks one address after another, in the order of the config, and a "not found" of one is not the answer yet.
//! A request here goes to one node: breaker and limiter decide when it is repeated, and all nodes share the load. Only
//! the note of a failure would be common.

use std::time::{Duration, Instant};

use service::backoff::Backoff;

const AVOID: Backoff = Backoff { initial: Duration::from_secs(1), max: Duration::from_secs(60) };

/// Tracks the state of each node.
#[derive(Debug)]
pub(super) struct Nodes {
    nodes: Vec<NodeState>,
    next: usize,
}

#[derive(Clone, Debug, Default)]
struct NodeState {
    /// Whether the last request to the node was answered.
    proven: bool,
    failures: u32,
    avoid_until: Option<Instant>,
}

impl Nodes {
    /// Creates the state of `count` nodes, of which nothing is known yet.
    pub(super) fn new(count: usize) -> Self {
        Self { nodes: vec![NodeState::default(); count], next: 0 }
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

    /// Notes that a request to `node` was answered.
    pub(super) fn succeeded(&mut self, node: usize) {
        self.nodes[node] = NodeState { proven: true, failures: 0, avoid_until: None };
    }

    /// Notes that a request to `node` was not answered.
    pub(super) fn failed(&mut self, node: usize, now: Instant) {
        let state = &mut self.nodes[node];
        // Requests that fail together count once.
        if state.avoid_until.is_some_and(|until| until > now) && state.failures > 0 {
            return;
        }
        state.proven = false;
        state.failures = state.failures.saturating_add(1);
        state.avoid_until = Some(now + AVOID.longest(state.failures));
    }
}

#[cfg(test)]
mod tests;
