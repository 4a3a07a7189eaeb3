//! Which topic an offset belongs to. Pure.
//!
//! A topic that is deleted and created again has the same name and offsets that begin at 0, so an offset alone says
//! nothing. Each commit therefore carries the topic's id (KIP-516) as its metadata, and an offset that was committed
//! for another id is not gone on from.

use std::collections::BTreeMap;

use kafka::position::Partition;
use topic_id::TopicId;

/// What a commit's metadata begins with; the id follows.
const PREFIX: &str = "topic-id=";

/// Returns the metadata of a commit that consists of `parts`.
pub(crate) fn joined(parts: [Option<String>; 3]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(";"))
}

/// Returns the metadata of a commit for the topic of `id`.
pub(crate) fn metadata_of(id: TopicId) -> String {
    format!("{PREFIX}{id}")
}

/// Returns the topic's id that stands in the metadata of a commit.
pub(crate) fn id_in(metadata: &str) -> Option<TopicId> {
    metadata.split(';').find_map(|part| part.strip_prefix(PREFIX))?.parse().ok()
}

/// The id of the topic, and for which id the offsets of each assigned partition count.
#[derive(Debug, Default)]
pub(super) struct Identity {
    current: Option<TopicId>,
    partitions: BTreeMap<Partition, Option<TopicId>>,
}

impl Identity {
    /// Notes that `partition` was assigned, and the metadata of what is committed for it. Metadata without an id is
    /// from an older version, or from a tool that moved the offset: it is trusted.
    pub(super) fn assign(&mut self, partition: Partition, metadata: &str) {
        self.partitions.insert(partition, id_in(metadata));
    }

    /// Notes that `partition` is no longer assigned.
    pub(super) fn revoke(&mut self, partition: Partition) {
        self.partitions.remove(&partition);
    }

    /// Notes the topic's id as the cluster gives it now. Offsets for which no id was known count for the first one that
    /// is.
    pub(super) fn note(&mut self, current: TopicId) {
        self.current = Some(current);
        for id in self.partitions.values_mut() {
            id.get_or_insert(current);
        }
    }

    /// Returns the partitions whose offsets belong to another topic than there is now.
    pub(super) fn strangers(&self) -> Vec<Partition> {
        let Some(current) = self.current else { return Vec::new() };
        let strange = self.partitions.iter().filter(|(_, id)| id.is_some_and(|id| id != current));
        strange.map(|(partition, _)| *partition).collect()
    }

    /// Notes that `partition` is read from its beginning: its offsets belong to the topic that there is now.
    pub(super) fn begin_anew(&mut self, partition: Partition) {
        self.partitions.insert(partition, self.current);
    }

    /// Returns the metadata of a commit for `partition`; none where no id is known.
    pub(super) fn metadata(&self, partition: Partition) -> Option<String> {
        let id = self.partitions.get(&partition).copied().flatten().or(self.current)?;
        Some(metadata_of(id))
    }
}

#[cfg(test)]
mod tests;
