//! The documented exceptions that a run itself causes: `docs/placement.md` ("Late documents", "What remains
//! uncertain"). The cause of an exception registers it here; the audit allows nothing else.

use std::collections::HashSet;

/// Lists what the audit must allow.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    /// Ids of documents in an index when it was deleted: they may be missing, or be written again.
    pub deleted: HashSet<String>,
    /// Backing indices that were closed, or blocked and opened again: another index may contain the same documents.
    pub blind: HashSet<String>,
}

impl Exceptions {
    /// Returns whether a document may be in all of these indices.
    pub(super) fn allow_copies(&self, indices: &[String]) -> bool {
        let seeing = indices.iter().filter(|index| !self.blind.contains(*index)).count();
        seeing <= 1
    }
}
