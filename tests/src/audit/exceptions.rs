//! The documented exceptions that a run has caused itself: `docs/placement.md` ("Late documents", "What remains
//! uncertain"). What causes one names it here; the audit allows nothing else.

use std::collections::HashSet;

/// What the audit must allow.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    /// Ids of documents that were in an index when somebody deleted it: they may be missing, or be written again.
    pub deleted: HashSet<String>,
    /// Backing indices that were closed, or blocked and opened again: a document that they hold may be in another one
    /// too.
    pub blind: HashSet<String>,
}

impl Exceptions {
    /// Returns whether a document may be in all of these indices.
    pub(super) fn allow_copies(&self, indices: &[String]) -> bool {
        let seeing = indices.iter().filter(|index| !self.blind.contains(*index)).count();
        seeing <= 1
    }
}
