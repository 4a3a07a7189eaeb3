//! Reads the consumer group of each topic from Kafka: its members, and how far it is behind.

use std::fmt;

use rdkafka::consumer::Consumer;
use serde::Serialize;

use super::assignment;
use crate::commands::log::{LogError, LogReader};
use crate::commands::plain::plain;
use crate::config::Config;

/// A topic and the group that reads it.
#[derive(Debug, Serialize)]
pub struct TopicStatus {
    /// The topic.
    pub topic: String,
    /// The group.
    pub group: String,
    /// The state of the group as Kafka reports it: `Stable`, `Empty`, `PreparingRebalance` …
    pub state: String,
    /// Its members.
    pub members: Vec<GroupMember>,
    /// Records that wait in all partitions.
    pub lag: i64,
    /// The partitions.
    pub partitions: Vec<PartitionStatus>,
}

/// One member of the group: an indexer.
#[derive(Debug, Serialize)]
pub struct GroupMember {
    /// Its id.
    pub id: String,
    /// Its address.
    pub host: String,
    /// Its partitions of this topic.
    pub partitions: Vec<i32>,
}

/// One partition.
#[derive(Debug, Serialize)]
pub struct PartitionStatus {
    /// Its number.
    pub partition: i32,
    /// The committed offset, or `None`.
    pub committed: Option<i64>,
    /// The offset after the last record.
    pub end: i64,
    /// Records that wait.
    pub lag: i64,
    /// The member that reads it.
    pub member: Option<String>,
}

/// Reads the state of the group of the single topic of `config`. Blocks.
///
/// # Errors
/// [`LogError`].
pub(super) fn ask(config: &Config) -> Result<TopicStatus, LogError> {
    let (topic, group) = (&config.kafka.topic, &config.indexer.group_id);
    let reader = LogReader::new(config)?;
    let parts = reader.parts(topic)?;
    let committed = reader.committed(topic, parts.iter().map(|part| part.partition))?;
    let failed = |error| LogError::Kafka { what: format!("the members of the group {group}"), error };
    let groups = reader.client().fetch_group_list(Some(group), config.kafka.timeout).map_err(failed)?;
    let found = groups.groups().iter().find(|found| found.name() == group);
    let members: Vec<GroupMember> = found
        .map(|found| found.members())
        .unwrap_or_default()
        .iter()
        .map(|member| {
            let all = assignment::read(member.assignment().unwrap_or_default());
            let own = all.into_iter().filter(|(name, _)| name == topic);
            let host = member.client_host().trim_start_matches('/').to_owned();
            GroupMember {
                id: member.id().to_owned(),
                host,
                partitions: own.flat_map(|(_, partitions)| partitions).collect(),
            }
        })
        .collect();
    let owner = |partition: i32| members.iter().find(|member| member.partitions.contains(&partition));
    let partitions: Vec<PartitionStatus> = parts
        .iter()
        .map(|part| {
            let committed = committed.get(&part.partition).copied().flatten();
            let lag = (part.to - committed.unwrap_or(part.from).max(part.from)).max(0);
            let member = owner(part.partition).map(|member| member.id.clone());
            PartitionStatus { partition: part.partition, committed, end: part.to, lag, member }
        })
        .collect();
    Ok(TopicStatus {
        topic: topic.clone(),
        group: group.clone(),
        state: found.map_or("unknown", |found| found.state()).to_owned(),
        lag: partitions.iter().map(|partition| partition.lag).sum(),
        members,
        partitions,
    })
}

impl fmt::Display for TopicStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, group, state, members, lag, .. } = self;
        write!(f, "topic {topic}: {lag} records wait; group {group}: {state}, {} members", members.len())?;
        for GroupMember { id, host, partitions } in members {
            write!(f, "\n  {} at {}: partitions {partitions:?}", plain(id), plain(host))?;
        }
        for PartitionStatus { partition, committed, end, lag, member } in &self.partitions {
            let committed = committed.map_or_else(|| "none".to_owned(), |committed| committed.to_string());
            // With the protocol of KIP-848 the assignments are not visible, so nothing is printed about owners.
            let nobody = if member.is_none() && members.is_empty() { ", nobody has it" } else { "" };
            write!(f, "\n  partition {partition}: {lag} wait, committed {committed} of {end}{nobody}")?;
        }
        Ok(())
    }
}
