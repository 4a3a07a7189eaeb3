//! Tracks whether this process is a member of its group and whether the cluster answers: readiness condition `kafka`.

use std::time::{Duration, Instant};

use service::admin::Condition;

use super::interval::Interval;
use super::subscription::Subscription;
use crate::config::{Config, GroupProtocol};

/// How often a cluster that seems down is probed.
const PROBE_INTERVAL: Duration = Duration::from_secs(2);
/// How long a new member waits for partitions before it may count as a spare.
const SPARE_AFTER: Duration = Duration::from_secs(10);

/// Tracks the membership in the group.
#[derive(Debug)]
pub(super) struct Membership {
    kafka: Condition,
    /// Whether the group has given an assignment, even an empty one, and it was taken over.
    has_joined: bool,
    /// Whether the group tells spare members about their empty assignment. With the protocol `consumer` it does not.
    tells_spares: bool,
    started: Instant,
    probe: Interval,
}

impl Membership {
    /// Begins at `now`, before the group has answered. `kafka` is met while this is a member and the cluster answers.
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

    /// Notes that the group has given an assignment that cannot be taken over yet.
    pub(super) fn wait(&mut self) {
        self.kafka.unmet("Kafka does not answer the committed offsets of the assigned partitions");
        self.has_joined = false;
    }

    /// Returns whether the group has given an assignment.
    pub(super) fn has_joined(&self) -> bool {
        self.has_joined
    }

    /// Probes a cluster that seemed to be down, if that is due.
    ///
    /// A member without partitions counts too. With the protocol `classic` its empty assignment shows that it has
    /// joined. With `consumer` nothing shows that, but the group's coordinator answers its requests.
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
