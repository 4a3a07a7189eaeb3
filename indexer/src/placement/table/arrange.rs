//! Determines what is known about the indices behind an alias, and which of their starts are certain. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Backing, FoundIndex, Uncertainty};
use crate::placement::names::Role;
use crate::placement::series::{Member, Series};

/// The longest time in milliseconds from the creation of an index until all nodes know it. The master gives up after
/// 30 s (`cluster.publish.timeout`), and drops a lagging node after another 90 s (`cluster.follower_lag.timeout`).
const MAX_DELAY: i64 = 120_000;

/// A backing index with what is known about it.
pub(super) struct Entry {
    pub(super) found: FoundIndex,
    pub(super) generation: u64,
    /// Whether it belongs to a series that began after the series of the alias's own name.
    is_of_later_series: bool,
    /// Whether its creation date is that of its generation.
    is_certain: bool,
    /// The time from which no document goes to an earlier index, in milliseconds since the Unix epoch.
    from: i64,
}

/// Returns the backing indices of `alias` among `found`, with what is known about them.
pub(super) fn entries(alias: &str, found: Vec<FoundIndex>) -> Vec<Entry> {
    let names: Vec<&str> = found.iter().map(|found| found.name.as_str()).collect();
    let write = found.iter().find(|found| found.is_write).map(|found| found.name.as_str());
    let series = Series::new(alias, write, &names);
    let mut entries: Vec<Entry> = found.into_iter().filter_map(|found| Entry::of(&series, found)).collect();
    // If a series follows another one, its first index was probably made from the earlier indices.
    let is_second = entries.iter().any(|entry| !entry.is_of_later_series);
    let later = entries.iter_mut().filter(|entry| entry.is_of_later_series);
    if let Some(first) = later.min_by_key(|entry| entry.generation).filter(|_| is_second) {
        first.is_certain = false;
    }
    entries
}

impl Entry {
    /// Returns the entry for `found` by `series`, or `None` if it does not belong to the alias.
    fn of(series: &Series<'_>, found: FoundIndex) -> Option<Self> {
        let Member { role, is_of_later_series } = series.of(&found.name);
        let generation = role.generation();
        if generation.is_none() && !found.is_write {
            return None;
        }
        let is_certain = matches!(role, Role::Own(_) | Role::Mounted(_)) && !found.is_resized;
        let from = found.created;
        Some(Self { found, generation: generation.unwrap_or(0), is_of_later_series, is_certain, from })
    }

    /// Returns the order of the entry. Each series has its own numbers.
    pub(super) fn number(&self) -> (bool, u64) {
        (self.is_of_later_series, self.generation)
    }

    /// Returns the entry for `found` in a data stream; `seen` is that of
    /// [`Table::of_stream`](super::Table::of_stream).
    pub(super) fn of_stream(found: FoundIndex, seen: &HashMap<String, i64>) -> Self {
        let generation = last_number(&found.name);
        let is_certain = !found.is_resized;
        let latest = found.created.saturating_add(MAX_DELAY);
        let from = seen.get(&found.name).map_or(latest, |seen| (*seen).clamp(found.created, latest));
        Self { found, generation, is_of_later_series: false, is_certain, from }
    }

    pub(super) fn backing(&self, margin: i64) -> Backing {
        let found = &self.found;
        Backing {
            name: Arc::from(found.name.as_str()),
            generation: self.generation,
            start: self.from.saturating_add(margin),
            created: found.created,
            // The write index stays writable: an operator must remove its block, and documents wait until then.
            writable: found.writable || found.is_write,
        }
    }
}

/// Returns what is uncertain about the last of `entries`, the write index.
pub(super) fn uncertainty(entries: &[Entry]) -> Uncertainty {
    let Some((write, others)) = entries.split_last() else { return Uncertainty::None };
    let is_later = |entry: &Entry| {
        let is_later_generation = write.generation > 0 && entry.number() > write.number();
        is_later_generation || entry.is_certain && entry.found.created > write.found.created
    };
    match (others.iter().any(is_later), write.is_certain) {
        (true, _) => Uncertainty::Behind,
        (false, false) => Uncertainty::Copied,
        (false, true) => Uncertainty::None,
    }
}

/// Resets the starts of indices whose own start is unknown: they share the times of their predecessor, and documents
/// are only looked up in them. The creation date of an index made from another one does not show when its documents
/// were written, and is usually after that of the next generation. Returns whether it is known since when the oldest
/// index has received documents.
pub(super) fn mark_uncertain(entries: &[Entry], backing: &mut [Backing]) -> bool {
    let Some((write, others)) = backing.split_last_mut() else { return true };
    let mut next = write.created;
    for (index, entry) in others.iter_mut().zip(entries).rev() {
        if entry.is_certain && index.created <= next {
            next = index.created;
        } else {
            index.writable = false;
            index.start = i64::MIN;
        }
    }
    let first = others.first_mut().unwrap_or(write);
    let is_known = first.start > i64::MIN;
    // No index came before generation 1.
    if first.generation == 1 {
        first.start = i64::MIN;
    }
    is_known || first.generation == 1
}

/// Marks the write index, or its predecessor, so that documents that either may hold are looked up.
pub(super) fn mark_doubtful(uncertainty: Uncertainty, backing: &mut [Backing]) {
    let Some((write, others)) = backing.split_last_mut() else { return };
    match (uncertainty, others.last_mut()) {
        (Uncertainty::None, _) => {}
        (Uncertainty::Behind, _) => {
            write.writable = false;
            write.start = i64::MIN;
        }
        (Uncertainty::Copied, Some(before)) => before.writable = false,
        (Uncertainty::Copied, None) => write.start = i64::MIN,
    }
}

/// Makes sure that no index starts before its predecessor.
pub(super) fn in_order(backing: &mut [Backing]) {
    let mut previous = i64::MIN;
    for index in backing {
        index.start = index.start.max(previous);
        previous = index.start;
    }
}

/// Returns the number at the end of the name of a data stream's backing index, or 0.
fn last_number(name: &str) -> u64 {
    name.rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
