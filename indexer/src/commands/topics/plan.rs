//! Plans the settings of each topic, and finds how an existing topic differs. Pure.

use std::collections::BTreeMap;
use std::fmt;

use bytesize::ByteSize;
use serde::Serialize;

use crate::config::Config;

/// The room for key, headers and framing of a record in addition to its value, in bytes. Ids and header values are
/// short.
const BESIDE_THE_EVENT: u64 = 64 * 1024;
/// How much larger than its record a dead letter may be: its own headers, with a reason of at most 1 KiB, and spare
/// room.
const BESIDE_THE_RECORD: u64 = 64 * 1024;
/// The number of partitions for topics with little traffic.
const FEW_PARTITIONS: i32 = 3;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The arguments that apply to all topics.
#[derive(Clone, Debug, clap::Args)]
pub struct Settings {
    /// Partitions of each topic of events. At most this many indexers can share the work.
    #[arg(long, default_value_t = 12, requires = "topics")]
    pub partitions: i32,
    /// Replicas of each partition.
    #[arg(long, default_value_t = 3, requires = "topics")]
    pub replication_factor: i32,
    /// min.insync.replicas: how many replicas must have an event before its sender gets 200.
    #[arg(long, default_value_t = 2, requires = "topics")]
    pub min_in_sync_replicas: i32,
    /// How long events are kept, which is the longest tolerable outage of Elasticsearch.
    #[arg(long, value_name = "DAYS", default_value_t = 7, requires = "topics")]
    pub retention_days: u32,
    /// How long dead letters and quarantined bodies are kept.
    #[arg(long, value_name = "DAYS", default_value_t = 30, requires = "topics")]
    pub dead_letter_retention_days: u32,
    /// The largest event: the largest `limits.max_body` of a source, or its `max_decompressed` if events are that
    /// large.
    #[arg(long, value_name = "SIZE", default_value = "1MiB", requires = "topics")]
    pub max_event: ByteSize,
}

impl Settings {
    /// Returns the first problem of the settings, with what to do.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.partitions < 1 || self.replication_factor < 1 || self.min_in_sync_replicas < 1 {
            return Err("--partitions, --replication-factor and --min-in-sync-replicas must be at least 1".to_owned());
        }
        if self.min_in_sync_replicas > self.replication_factor {
            return Err(
                "--min-in-sync-replicas is more than --replication-factor: no event would be accepted".to_owned()
            );
        }
        if self.dead_letter_retention_days <= self.retention_days {
            let message = "--dead-letter-retention-days must be more than --retention-days: a dead letter must still \
                           exist when an operator has time for it";
            return Err(message.to_owned());
        }
        Ok(())
    }
}

/// The purpose of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Events.
    Events,
    /// Bodies that are not events.
    Quarantine,
    /// Records that can never be indexed.
    DeadLetters,
}

/// The wanted state of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Its purpose.
    pub role: Role,
    /// The number of partitions of a new topic. An existing topic may have any number.
    pub partitions: i32,
    /// Replicas of each partition.
    pub replication_factor: i32,
    /// Settings of the topic, by Kafka's names.
    pub settings: BTreeMap<&'static str, String>,
}

/// An existing topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Existing {
    /// The number of replicas of the partition with the fewest.
    pub replicas: usize,
    /// All settings in force, by Kafka's names.
    pub settings: BTreeMap<String, String>,
}

impl Existing {
    fn number(&self, key: &str) -> Option<i64> {
        self.settings.get(key)?.parse().ok()
    }
}

/// Returns the topics of `config` with their purpose.
pub(super) fn names(config: &Config) -> BTreeMap<String, Role> {
    let mut names = BTreeMap::new();
    names.insert(config.kafka.quarantine_topic.clone(), Role::Quarantine);
    names.insert(config.kafka.dead_letter_topic.clone(), Role::DeadLetters);
    names.extend(config.of_topics().into_iter().map(|topic| (topic.kafka.topic, Role::Events)));
    names
}

/// Returns the plan for each topic. A dead letter must fit every record that the topics of events accept, including
/// existing topics, and must be kept longer.
pub(super) fn plan(config: &Config, settings: &Settings, existing: &BTreeMap<String, Existing>) -> Vec<(String, Plan)> {
    let names = names(config);
    let of_events =
        || names.iter().filter(|(_, role)| **role == Role::Events).filter_map(|(name, _)| existing.get(name));
    let event_bytes = settings.max_event.as_u64().saturating_add(BESIDE_THE_EVENT) as i64;
    let largest = of_events().filter_map(|topic| topic.number("max.message.bytes")).fold(event_bytes, i64::max);
    let kept = i64::from(settings.retention_days) * DAY_MS;
    let longest = of_events().filter_map(|topic| topic.number("retention.ms")).fold(kept, longer);
    let letters_kept = match i64::from(settings.dead_letter_retention_days) * DAY_MS {
        asked if longest != -1 && longest < asked => asked,
        // Events outlive the requested time: letters are kept twice as long, or forever.
        _ if longest == -1 => -1,
        _ => longest.saturating_mul(2),
    };
    let of = |role: Role| {
        let (bytes, retention, partitions) = match role {
            Role::Events => (event_bytes, kept, settings.partitions),
            Role::Quarantine | Role::DeadLetters => {
                (largest + BESIDE_THE_RECORD as i64, letters_kept, settings.partitions.min(FEW_PARTITIONS))
            }
        };
        let settings_of = BTreeMap::from([
            ("cleanup.policy", "delete".to_owned()),
            ("max.message.bytes", bytes.to_string()),
            ("min.insync.replicas", settings.min_in_sync_replicas.to_string()),
            ("retention.ms", retention.to_string()),
        ]);
        Plan { role, partitions, replication_factor: settings.replication_factor, settings: settings_of }
    };
    names.iter().map(|(name, role)| (name.clone(), of(*role))).collect()
}

/// Returns the longer of two retentions in milliseconds; -1 means forever.
fn longer(a: i64, b: i64) -> i64 {
    if a == -1 || b == -1 { -1 } else { a.max(b) }
}

impl Plan {
    /// Returns each setting of `existing` that is worse than planned. A better setting is not a difference.
    pub(super) fn differences(&self, existing: &Existing) -> Vec<String> {
        let mut found = Vec::new();
        if (existing.replicas as i64) < i64::from(self.replication_factor) {
            let why = "fewer copies of each event";
            found.push(format!("replication factor is {}, not {}: {why}", existing.replicas, self.replication_factor));
        }
        self.compare_in_sync(existing, &mut found);
        for (key, why) in
            [("max.message.bytes", "larger records are refused"), ("retention.ms", "records are deleted sooner")]
        {
            if let (Some(is), Some(wanted)) = (existing.number(key), self.number(key))
                && (is < wanted || wanted == -1)
                && is != -1
            {
                found.push(format!("{key} is {is}, not {wanted}: {why}"));
            }
        }
        let policy = existing.settings.get("cleanup.policy").map(String::as_str).unwrap_or_default();
        if self.role != Role::Events && policy.contains("compact") {
            found.push(format!(
                "cleanup.policy is {policy}, not delete: compaction keeps only the last record of each key"
            ));
        }
        found
    }

    fn compare_in_sync(&self, existing: &Existing, found: &mut Vec<String>) {
        const KEY: &str = "min.insync.replicas";
        let Some((is, wanted)) = existing.number(KEY).zip(self.number(KEY)) else { return };
        if is < wanted {
            found.push(format!("{KEY} is {is}, not {wanted}: an accepted event may be on fewer disks"));
        } else if is > 1 && is >= existing.replicas as i64 {
            found.push(format!("{KEY} is {is} of {} replicas: one broker down stops all writes", existing.replicas));
        }
    }

    fn number(&self, key: &str) -> Option<i64> {
        self.settings.get(key)?.parse().ok()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "partitions={} replication.factor={}", self.partitions, self.replication_factor)?;
        self.settings.iter().try_for_each(|(key, value)| write!(f, " {key}={value}"))
    }
}
