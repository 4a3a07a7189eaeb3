//! Whether this process is a member of its group, and whether the cluster is there: the condition `kafka` of readiness.

use std::time::{Duration, Instant};

use service::admin::Condition;

use super::interval::Interval;
use super::subscription::Subscription;
use crate::config::{Config, GroupProtocol};

/// How often a cluster that seems down is asked whether it is back.
const PROBE_INTERVAL: Duration = Duration::from_secs(2);
/// How long a new member waits for its partitions before it may be a spare one.
const SPARE_AFTER: Duration = Duration::from_secs(10);

/// A member of the group.
#[derive(Debug)]
pub(super) struct Membership {
    kafka: Condition,
    /// Whether the group has given an assignment, were it an empty one.
    has_joined: bool,
    /// Whether the group tells a member that it has nothing to do: by the protocol `consumer` it does not.
    tells_spares: bool,
    started: Instant,
    probe: Interval,
}

impl Membership {
    /// Begins `now`: the group has said nothing yet. `kafka` is met while it is a member of a cluster that answers.
    pub(super) fn new(config: &Config, kafka: Condition, now: Instant) -> Self {
        Self {
            kafka,
            has_joined: false,
            tells_spares: config.indexer.group_protocol == GroupProtocol::Classic,
            started: now,
            probe: Interval::after(now, PROBE_INTERVAL),
        }
    }

    /// Notes that the group has given an assignment.
    pub(super) fn join(&mut self) {
        self.kafka.met();
        self.has_joined = true;
    }

    /// Returns whether the group has given an assignment.
    pub(super) fn has_joined(&self) -> bool {
        self.has_joined
    }

    /// Asks a cluster that seemed to be down whether it is back, if that is due.
    ///
    /// A member without partitions counts too. By the protocol `classic` its empty assignment says that it has joined;
    /// by `consumer` nothing says so, but the group's coordinator answers it.
    pub(super) fn probe(&mut self, subscription: &Subscription, now: Instant) {
        if self.kafka.is_met() || !self.probe.begin(now) {
            return;
        }
        let is_member = self.has_joined || (self.may_be_spare(now) && subscription.coordinator_answers());
        if is_member && subscription.answers() {
            self.kafka.met();
        }
    }

    fn may_be_spare(&self, now: Instant) -> bool {
        !self.tells_spares && now.saturating_duration_since(self.started) >= SPARE_AFTER
    }
}

#[cfg(test)]
mod tests;
