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
    nodes: Vec<NodeState>,
    next: usize,
}

#[derive(Clone, Debug, Default)]
struct NodeState {
    /// Whether the last request to it was answered.
    proven: bool,
    failures: u32,
    avoid_until: Option<Instant>,
}

impl Nodes {
    /// Nothing is known yet of `count` nodes.
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

    /// A request to `node` was answered.
    pub(super) fn succeeded(&mut self, node: usize) {
        self.nodes[node] = NodeState { proven: true, failures: 0, avoid_until: None };
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
mod tests;
