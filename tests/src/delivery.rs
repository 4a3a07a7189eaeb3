//! Checks that Elasticsearch has every acknowledged event exactly once, and nothing else.

use std::collections::{HashMap, HashSet};

use crate::search::Hit;

/// The most examples that a failure shows.
const EXAMPLES: usize = 5;

/// The differences between an index and the acknowledged events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Acknowledged, but not stored.
    pub lost: Vec<String>,
    /// Stored more than once.
    pub repeated: Vec<String>,
    /// Stored, but never acknowledged.
    pub strange: Vec<String>,
    /// Stored under an `_id` other than the event's own.
    pub misnamed: Vec<String>,
}

impl Differences {
    /// Compares the acknowledged ids with all documents of an index.
    pub fn between(acknowledged: &HashSet<String>, hits: &[Hit]) -> Self {
        let mut found: HashMap<&str, usize> = HashMap::with_capacity(hits.len());
        for hit in hits {
            *found.entry(&hit.event_id).or_default() += 1;
        }
        let names = |ids: &mut dyn Iterator<Item = &str>| {
            let mut names: Vec<String> = ids.map(str::to_owned).collect();
            names.sort();
            names
        };
        Self {
            lost: names(&mut acknowledged.iter().map(String::as_str).filter(|id| !found.contains_key(id))),
            repeated: names(&mut found.iter().filter(|(_, count)| **count > 1).map(|(id, _)| *id)),
            strange: names(&mut found.keys().copied().filter(|id| !acknowledged.contains(*id))),
            misnamed: names(&mut hits.iter().filter(|hit| hit.id != hit.event_id).map(|hit| hit.id.as_str())),
        }
    }

    /// Fails if there are differences.
    ///
    /// # Errors
    /// States the number of each kind, with some examples.
    pub fn ensure_none(&self) -> anyhow::Result<()> {
        let kinds = [
            ("lost", &self.lost),
            ("there more than once", &self.repeated),
            ("never acknowledged", &self.strange),
            ("under another _id", &self.misnamed),
        ];
        let reported: Vec<String> = kinds
            .iter()
            .filter(|(_, ids)| !ids.is_empty())
            .map(|(kind, ids)| format!("{} {kind}: {:?}", ids.len(), &ids[..ids.len().min(EXAMPLES)]))
            .collect();
        anyhow::ensure!(reported.is_empty(), "the index is not what was acknowledged: {}", reported.join("; "));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
