//! The documented exceptions that a run itself causes: `docs/placement.md` ("Late documents", "What remains
//! uncertain"). The cause of an exception registers it here; the audit allows nothing else.

use std::collections::HashSet;

/// Lists what the audit must allow.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    /// Ids of documents in an index when it was deleted: they may be missing, or be written again.
    pub deleted: HashSet<String>,
    /// The placement time, in milliseconds since the Unix epoch, before which documents belong to a deleted index. They
    /// are written to the oldest index again, even if they went to the write index while theirs had a block.
    pub deleted_before: Option<i64>,
    /// Backing indices that were closed, or blocked and opened again, or rolled over while an indexer's clock was ahead
    /// by more than half a margin: another index may contain the same documents.
    pub blind: HashSet<String>,
    /// Ids of events whose records were deleted by retention before they were indexed: they may be missing.
    pub overtaken: HashSet<String>,
    /// A quarter of the margin, in milliseconds, if the clock of a sender was ahead of that of a receiver by more: such
    /// an event is placed by its time of receipt, so its repeat may go to another index.
    pub tolerance: Option<i64>,
}

impl Exceptions {
    /// Returns the placement time of an event of the time `event` that was received at the time `received`.
    pub(super) fn placed(&self, event: i64, received: i64) -> i64 {
        self.tolerance.map_or(event, |tolerance| event.min(received.saturating_add(tolerance)))
    }

    /// Returns whether all of these copies of a document may exist, each given by its index and its placement time.
    pub(super) fn allow_copies(&self, copies: &[(&str, Option<i64>)]) -> bool {
        let is_expired = |time: &Option<i64>| time.zip(self.deleted_before).is_some_and(|(time, before)| time < before);
        let certain = copies.iter().filter(|(index, time)| !self.blind.contains(*index) && !is_expired(time));
        let times: Vec<Option<i64>> = certain.map(|(_, time)| *time).collect();
        // Only one index takes the documents of a placement time.
        times.iter().collect::<HashSet<_>>().len() == times.len()
    }
}
