//! The table of backing indices. Pure.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::calendar::Calendar;
use super::pattern::Pattern;
use super::time::millis;
use arrange::{Entry, entries, in_order, mark_doubtful, mark_uncertain, uncertainty};

mod arrange;

/// The creation date of an index that does not exist yet.
const NOT_THERE: i64 = i64::MIN;

/// An index behind an alias or of a data stream, as Elasticsearch returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundIndex {
    /// Its name.
    pub name: String,
    /// `index.creation_date`, in milliseconds since the Unix epoch.
    pub created: i64,
    /// Whether it accepts documents: it is open, and has no `index.blocks.write` or `index.blocks.read_only`.
    pub writable: bool,
    /// Whether it is the alias's write index.
    pub is_write: bool,
    /// Whether it was made by shrinking, splitting or cloning another index (`index.resize.source`), so that its
    /// creation date is not that of its documents.
    pub is_resized: bool,
}

/// A backing index of the table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Backing {
    /// Its name.
    pub name: Arc<str>,
    /// The generation in its name, or 0.
    pub generation: u64,
    /// The first placement time that it takes, in milliseconds since the Unix epoch.
    pub start: i64,
    /// When it began to receive what is written to the alias, in milliseconds since the Unix epoch: its creation.
    pub created: i64,
    /// Whether documents may be written to it. If not, they are looked up, and missing ones go to the write index. It
    /// is `false` if the index is read-only, or if it is unclear which documents are its own and which its
    /// neighbours'.
    pub writable: bool,
}

/// The backing indices at one time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    /// Ordered from the oldest to the write index.
    backing: Vec<Backing>,
    uncertainty: Uncertainty,
    known_from: i64,
    read_at: i64,
    valid_until: i64,
}

/// Describes what is uncertain about the write index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Uncertainty {
    /// Nothing.
    None,
    /// It was made from another index: documents placed before its creation may be in it or in its predecessor.
    Copied,
    /// There is a later backing index, which may hold any document.
    Behind,
}

/// Why a list of backing indices cannot become a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// The list is empty.
    #[error("the alias has no index; give it its backing indices again, one of them with is_write_index")]
    Empty,
    /// No index is the alias's write index.
    #[error("the alias has no write index among its {0}; set is_write_index on the newest")]
    NoWriteIndex(usize),
}

impl Table {
    /// Creates the table of the indices behind `alias` that were `found` by a query at `read_at` (milliseconds since
    /// the Unix epoch). The write index is the newest, whatever its name. The others count only if their name has a
    /// generation, in the series of the alias or of the write index.
    ///
    /// `since` is when the oldest index began to receive documents, if that is known although its creation date does
    /// not show it: see [`Table::unknown_oldest`].
    ///
    /// # Errors
    /// [`TableError`], if the alias is in a state in which nothing can be placed.
    pub fn new(
        alias: &str,
        found: Vec<FoundIndex>,
        since: Option<i64>,
        read_at: i64,
        margin: Duration,
    ) -> Result<Self, TableError> {
        let count = found.len();
        let mut entries = entries(alias, found);
        let key = |entry: &Entry| (entry.found.is_write, entry.number(), entry.found.created);
        entries.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.found.name.cmp(&b.found.name)));
        match entries.last() {
            None if count == 0 => Err(TableError::Empty),
            Some(last) if last.found.is_write => Ok(Self::of(&entries, uncertainty(&entries), since, read_at, margin)),
            Some(_) | None => Err(TableError::NoWriteIndex(count)),
        }
    }

    /// Creates the table of a data stream, whose backing indices are `found` in the stream's own order: the last one
    /// is the write index.
    ///
    /// `seen` is when each index was first seen, by its name, in milliseconds since the Unix epoch. Until then
    /// documents may go to its predecessor, because the server chooses the index by its own list.
    ///
    /// # Errors
    /// The same as those of [`Table::new`].
    pub fn of_stream(
        found: Vec<FoundIndex>,
        seen: &HashMap<String, i64>,
        read_at: i64,
        margin: Duration,
    ) -> Result<Self, TableError> {
        let entries: Vec<Entry> = found.into_iter().map(|found| Entry::of_stream(found, seen)).collect();
        if entries.is_empty() {
            return Err(TableError::Empty);
        }
        Ok(Self::of(&entries, Uncertainty::None, None, read_at, margin))
    }

    /// Creates the table of the indices of the strategy `time` that were `found`, ordered by date. The last one, in
    /// the role of the write index, is the index of `read_at`, whether or not it exists.
    pub fn dated(calendar: &Calendar, found: Vec<FoundIndex>, read_at: i64) -> Self {
        let current = calendar.current(read_at);
        let pattern = calendar.pattern();
        let until = pattern.time(&current).unwrap_or(i64::MAX);
        let of = |found: FoundIndex| {
            let start = pattern.time_of_copy(&found.name).filter(|start| *start <= until && *found.name != *current)?;
            let FoundIndex { name, created, writable, .. } = found;
            Some(Backing { name: Arc::from(name), generation: 0, start, created, writable })
        };
        let created = found.iter().find(|found| found.name == current).map_or(NOT_THERE, |found| found.created);
        let mut backing: Vec<Backing> = found.into_iter().filter_map(of).collect();
        backing.sort_by(|a, b| a.start.cmp(&b.start).then_with(|| a.name.cmp(&b.name)));
        backing.push(Backing { name: Arc::from(current), generation: 0, start: until, created, writable: true });
        Self { backing, uncertainty: Uncertainty::None, known_from: i64::MIN, read_at, valid_until: i64::MAX }
    }

    /// Returns whether the index `name` existed.
    pub fn is_there(&self, name: &str) -> bool {
        self.position(name).is_some_and(|number| self.backing[number].created != NOT_THERE)
    }

    /// Returns the names by `pattern` whose index does not exist, except as a copy.
    pub fn copied(&self, pattern: &Pattern) -> HashSet<String> {
        let own = self.backing.iter().map(|backing| pattern.name(backing.start));
        own.filter(|own| self.position(own).is_none()).collect()
    }

    /// Returns the numbers of the indices of the strategy `time` that may hold a document of the index `name`, which
    /// starts at `start`. `None` if the document can be written without a look-up.
    pub fn dated_candidates(&self, name: &str, start: i64) -> Option<Range<usize>> {
        let first = self.first_from(start);
        let is_looked_up = match self.position(name) {
            Some(own) => !self.backing[own].writable,
            None => self.backing.get(first).is_some_and(|copy| copy.start == start),
        };
        is_looked_up.then_some(first..self.backing.len())
    }

    /// Returns the number of the first backing index that starts at or after `start`.
    pub fn first_from(&self, start: i64) -> usize {
        self.backing.partition_point(|backing| backing.start < start)
    }

    fn of(entries: &[Entry], uncertainty: Uncertainty, since: Option<i64>, read_at: i64, margin: Duration) -> Self {
        let margin = millis(margin);
        let mut backing: Vec<Backing> = entries.iter().map(|entry| entry.backing(margin)).collect();
        let is_first_known = mark_uncertain(entries, &mut backing);
        mark_doubtful(uncertainty, &mut backing);
        in_order(&mut backing);
        let known_from = match is_first_known {
            true => i64::MIN,
            false => since.unwrap_or(i64::MIN),
        };
        Self { backing, uncertainty, known_from, read_at, valid_until: read_at.saturating_add(margin / 2) }
    }

    /// Returns the backing indices, oldest first.
    pub fn backing(&self) -> &[Backing] {
        &self.backing
    }

    /// Returns the write index.
    pub fn write(&self) -> &Backing {
        &self.backing[self.write_number()]
    }

    /// Returns the number of [`Table::write`].
    pub fn write_number(&self) -> usize {
        self.backing.len() - 1
    }

    /// Returns what is uncertain about [`Table::write`].
    pub fn uncertainty(&self) -> Uncertainty {
        self.uncertainty
    }

    /// Returns when the list was requested, in milliseconds since the Unix epoch.
    pub fn read_at(&self) -> i64 {
        self.read_at
    }

    /// Returns the last placement time that this table may be used for: half a margin after the request. A backing
    /// index that it does not know was created after the request (see `barrier`), apart from differences between
    /// clocks, and so takes no document for another half margin.
    pub fn valid_until(&self) -> i64 {
        self.valid_until
    }

    /// Returns the placement time before which a document that is in no candidate index has lost its index, which was
    /// deleted. This is `since` of [`Table::new`].
    pub fn known_from(&self) -> i64 {
        self.known_from
    }

    /// Returns the oldest backing index, if older ones were deleted and its creation date does not show since when it
    /// has received documents.
    pub fn unknown_oldest(&self) -> Option<&Backing> {
        let is_unknown = |first: &&Backing| first.start == i64::MIN && !first.writable && first.generation != 1;
        self.backing.first().filter(is_unknown)
    }

    /// Returns the number of the backing index `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.backing.iter().rposition(|backing| *backing.name == *name)
    }

    /// Returns the number of the oldest backing index that may hold a document that is placed in the index `number`.
    pub fn first_candidate(&self, number: usize) -> usize {
        self.first_from(self.backing[number].start)
    }
}

#[cfg(test)]
mod tests;
