//! Determines which topic an offset belongs to. Pure.
//!
//! A topic that is deleted and created again keeps its name, and its offsets start at 0 again, so an offset alone is
//! ambiguous. Therefore each commit carries the topic's id (KIP-516) as metadata, and an offset that was committed
//! for another id is not used.

use std::collections::BTreeMap;

use kafka::position::Partition;
use topic_id::TopicId;

/// The start of a commit's metadata; the id follows.
const PREFIX: &str = "topic-id=";

/// Joins the `parts` of a commit's metadata, or returns `None` if there are none.
pub(crate) fn joined(parts: [Option<String>; 3]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(";"))
}

/// Returns the metadata of a commit for the topic of `id`.
pub(crate) fn metadata_of(id: TopicId) -> String {
    format!("{PREFIX}{id}")
}

/// Returns the topic's id in the metadata of a commit.
pub(crate) fn id_in(metadata: &str) -> Option<TopicId> {
    metadata.split(';').find_map(|part| part.strip_prefix(PREFIX))?.parse().ok()
}

/// Holds the topic's id, and the id that each assigned partition's offsets belong to.
#[derive(Debug, Default)]
pub(super) struct Identity {
    current: Option<TopicId>,
    partitions: BTreeMap<Partition, Option<TopicId>>,
}

impl Identity {
    /// Notes that `partition` was assigned, with the metadata of its committed offset. Metadata without an id comes
    /// from an older version or from a tool that moved the offset, and is trusted: the offset belongs to the topic that
    /// exists now.
    pub(super) fn assign(&mut self, partition: Partition, metadata: &str) {
        self.partitions.insert(partition, id_in(metadata).or(self.current));
    }

    /// Notes that `partition` is no longer assigned.
    pub(super) fn revoke(&mut self, partition: Partition) {
        self.partitions.remove(&partition);
    }

    /// Notes the topic's current id. Offsets without a known id are taken to belong to it.
    pub(super) fn note(&mut self, current: TopicId) {
        self.current = Some(current);
        for id in self.partitions.values_mut() {
            id.get_or_insert(current);
        }
    }

    /// Returns the partitions whose offsets belong to an earlier topic of this name.
    pub(super) fn strangers(&self) -> Vec<Partition> {
        let Some(current) = self.current else { return Vec::new() };
        let strange = self.partitions.iter().filter(|(_, id)| id.is_some_and(|id| id != current));
        strange.map(|(partition, _)| *partition).collect()
    }

    /// Notes that `partition` is read from its beginning, so that its offsets belong to the current topic.
    pub(super) fn begin_at_start(&mut self, partition: Partition) {
        self.partitions.insert(partition, self.current);
    }

    /// Returns the metadata of a commit for `partition`, or `None` if no id is known.
    pub(super) fn metadata(&self, partition: Partition) -> Option<String> {
        let id = self.partitions.get(&partition).copied().flatten().or(self.current)?;
        Some(metadata_of(id))
    }
}

#[cfg(test)]
mod tests;
