//! Judges the topics. Pure: [`brokers`](super::brokers) queries Kafka.

use std::collections::HashMap;

use topic_id::Allowed;

use super::finding::Finding;

/// How many bytes larger than its record a dead letter may be.
const LETTER_OVERHEAD: i64 = 2_048;

/// The purpose of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The indexer consumes it.
    Events,
    /// The indexer writes records to it that it cannot index.
    DeadLetters,
    /// The receiver writes bodies to it that are not events.
    Quarantine,
}

/// A topic as the cluster describes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Topic {
    /// The name of the topic.
    pub(super) name: String,
    /// The number of partitions.
    pub(super) partitions: usize,
    /// The fewest replicas of a partition.
    pub(super) replicas: usize,
    /// The number of partitions without a leader.
    pub(super) leaderless: usize,
    /// The number of partitions with a replica that is behind or down.
    pub(super) under_replicated: usize,
    /// Its settings; empty if they may not be read.
    pub(super) settings: HashMap<String, String>,
    /// What this client may do with it; `None` if the cluster does not say.
    pub(super) allowed: Option<Allowed>,
}

impl Topic {
    fn number(&self, setting: &str) -> Option<i64> {
        self.settings.get(setting)?.parse().ok()
    }

    fn subject(&self) -> String {
        format!("kafka: topic {}", self.name)
    }
}

/// Judges `topic` by its purpose.
pub(super) fn judge(topic: &Topic, role: Role) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        [replication(topic), in_sync(topic), compaction(topic, role), permissions(topic, role)]
            .into_iter()
            .flatten()
            .collect();
    if findings.is_empty() {
        let (partitions, replicas) = (topic.partitions, topic.replicas);
        findings.push(Finding::ok(topic.subject(), format!("{partitions} partitions, {replicas} replicas")));
    }
    if topic.settings.is_empty() {
        let todo = "allow DescribeConfigs on it, or check retention and min.insync.replicas by hand";
        findings.push(Finding::warn(topic.subject(), "its settings may not be read", todo));
    }
    findings
}

fn replication(topic: &Topic) -> Option<Finding> {
    let subject = topic.subject();
    if topic.leaderless > 0 {
        let found = format!("{} of {} partitions have no leader", topic.leaderless, topic.partitions);
        return Some(Finding::fail(subject, found, "start the brokers that hold them"));
    }
    if topic.under_replicated > 0 {
        let found = format!(
            "{} of {} partitions have a replica that is behind or down",
            topic.under_replicated, topic.partitions
        );
        return Some(Finding::warn(subject, found, "check the brokers; another failure may stop all writes"));
    }
    let todo = "raise its replication factor to 3: an acknowledged event is on one disk only";
    (topic.replicas < 2).then(|| Finding::warn(subject, "1 replica", todo))
}

fn in_sync(topic: &Topic) -> Option<Finding> {
    let least = topic.number("min.insync.replicas")?;
    let replicas = i64::try_from(topic.replicas).unwrap_or(i64::MAX);
    let subject = topic.subject();
    let found = format!("min.insync.replicas is {least} of {replicas} replicas");
    if least > replicas {
        return Some(Finding::fail(subject, found, "set it to 2, or add replicas: nothing can be written"));
    }
    if least == replicas && replicas > 1 {
        return Some(Finding::warn(subject, found, "set it lower than the replicas: one broker down stops writing"));
    }
    let todo = "set it to 2: an acknowledged event may be on one disk only";
    (least < 2 && replicas > 1).then(|| Finding::warn(subject, found, todo))
}

fn compaction(topic: &Topic, role: Role) -> Option<Finding> {
    let policy = topic.settings.get("cleanup.policy").filter(|policy| policy.contains("compact"))?;
    let found = format!("cleanup.policy is {policy}");
    let todo = "set it to delete: compaction removes all but the newest record of a key";
    Some(match role {
        Role::Events => Finding::warn(topic.subject(), found, todo),
        Role::DeadLetters | Role::Quarantine => Finding::fail(topic.subject(), found, todo),
    })
}

fn permissions(topic: &Topic, role: Role) -> Option<Finding> {
    let allowed = topic.allowed?;
    let missing = |is_allowed: bool, what: &str| (!is_allowed).then(|| what.to_owned());
    let (needed, nice) = match role {
        Role::Events => (missing(allowed.read, "Read"), missing(allowed.write, "Write (for a redrive)")),
        Role::DeadLetters => {
            (missing(allowed.write, "Write"), missing(allowed.read, "Read (for dead-letters and find)"))
        }
        Role::Quarantine => (None, missing(allowed.read, "Read (for dead-letters and find)")),
    };
    if let Some(needed) = needed {
        let todo = format!("allow {needed} on it: the indexer does not work without it");
        return Some(Finding::fail(topic.subject(), format!("{needed} is not allowed"), todo));
    }
    nice.map(|nice| {
        Finding::warn(topic.subject(), format!("{nice} is not allowed"), "allow it to the people who use the commands")
    })
}

/// Judges the record size and retention of the dead-letter topic against those of the topic `events`.
pub(super) fn judge_letters(letters: &Topic, events: &Topic) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some((large, small)) = events.number("max.message.bytes").zip(letters.number("max.message.bytes"))
        && small < large.saturating_add(LETTER_OVERHEAD)
    {
        let found = format!("max.message.bytes is {small}, and that of {} is {large}", events.name);
        let todo = format!(
            "set it to {} or more: otherwise a large dead letter lacks its value",
            large.saturating_add(LETTER_OVERHEAD)
        );
        findings.push(Finding::warn(letters.subject(), found, todo));
    }
    let retention =
        |topic: &Topic| topic.number("retention.ms").map(|millis| if millis < 0 { i64::MAX } else { millis });
    if let Some((long, short)) = retention(events).zip(retention(letters))
        && short < long
    {
        let found = format!("retention.ms is {short}, shorter than that of {}", events.name);
        findings.push(Finding::warn(
            letters.subject(),
            found,
            "raise it: a letter should exist longer than its record",
        ));
    }
    findings
}

/// How far a group is behind in one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Behind {
    /// The partition.
    pub(super) partition: i32,
    /// Where the log begins.
    pub(super) start: i64,
    /// The offset after the last record.
    pub(super) end: i64,
    /// The committed offset, or `None`.
    pub(super) committed: Option<i64>,
    /// The age of the next record to read, in milliseconds; `None` if it was not checked.
    pub(super) age: Option<i64>,
}

impl Behind {
    /// Returns how many records wait.
    pub(super) fn lag(&self) -> i64 {
        (self.end - self.committed.unwrap_or(self.start).max(self.start)).max(0)
    }
}

/// Judges how far the group is behind in `topic`, and whether retention is about to delete unread records.
pub(super) fn judge_lag(topic: &Topic, behind: &[Behind]) -> Finding {
    let subject = format!("kafka: lag of {}", topic.name);
    let lost: i64 = behind.iter().filter_map(|part| Some((part.start - part.committed?).max(0))).sum();
    let lag: i64 = behind.iter().map(Behind::lag).sum();
    if lost > 0 {
        let found = format!("retention has deleted {lost} records that were not indexed");
        return Finding::fail(
            subject,
            found,
            "raise retention.ms immediately, and find out why the indexers are behind (status)",
        );
    }
    let oldest = behind.iter().filter(|part| part.lag() > 0).filter_map(|part| part.age).max();
    let retention = topic.number("retention.ms").filter(|millis| *millis > 0);
    let found = |oldest: i64| format!("{lag} records wait, the oldest for {} s", oldest / 1_000);
    match (oldest, retention) {
        (None, _) => Finding::ok(subject, format!("{lag} records wait")),
        (Some(oldest), Some(retention)) if oldest > retention / 10 * 9 => Finding::fail(
            subject,
            found(oldest),
            "retention deletes them soon: raise retention.ms, then find out why the indexers are behind",
        ),
        (Some(oldest), Some(retention)) if oldest > retention / 2 => {
            Finding::warn(subject, found(oldest), "half of the retention is over: raise retention.ms, or add indexers")
        }
        (Some(oldest), _) => Finding::ok(subject, found(oldest)),
    }
}

#[cfg(test)]
mod tests;
