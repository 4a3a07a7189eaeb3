//! The table of backing indices. Pure.

use std::sync::Arc;
use std::time::Duration;

use super::time::millis;

/// A backing index as Elasticsearch tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// `index.creation_date`, in milliseconds since the Unix epoch.
    pub created: i64,
    /// Whether it takes documents: it is open, and has no `index.blocks.write` or `index.blocks.read_only`.
    pub writable: bool,
    /// Whether the alias writes to it.
    pub is_write: bool,
}

/// A backing index of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backing {
    /// Its name.
    pub name: Arc<str>,
    /// The number at the end of its name; 0 without one.
    pub generation: u64,
    /// The first placement time it takes, in milliseconds since the Unix epoch.
    pub start: i64,
    /// When it began to take what is written to the alias, in milliseconds since the Unix epoch: its creation.
    pub created: i64,
    /// Whether documents may be written to it. Otherwise they are looked up, and what is missing goes to the write index: it is read-only,
    /// or it is not known which of its neighbours' documents are its own.
    pub writable: bool,
}

/// The backing indices at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    backing: Vec<Backing>,
    write: usize,
    read_at: i64,
    valid_until: i64,
}

/// Why a list of backing indices is no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// There are none.
    #[error("the alias has no index; give it its backing indices again, one of them with is_write_index")]
    Empty,
    /// None takes what is written to the alias.
    #[error("the alias has no write index among its {0}; set is_write_index on the newest")]
    NoWriteIndex(usize),
}

impl Table {
    /// The table of the indices that were `found` by a question asked at `read_at` (milliseconds since the Unix epoch).
    ///
    /// # Errors
    /// [`TableError`], when the alias is in a state in which nothing can be placed.
    pub fn new(mut found: Vec<Found>, read_at: i64, margin: Duration) -> Result<Self, TableError> {
        found.sort_by(|a, b| (generation(&a.name), a.created, &a.name).cmp(&(generation(&b.name), b.created, &b.name)));
        if found.is_empty() {
            return Err(TableError::Empty);
        }
        let Some(write) = found.iter().rposition(|index| index.is_write) else {
            return Err(TableError::NoWriteIndex(found.len()));
        };
        let margin = millis(margin);
        let mut backing: Vec<Backing> = found.iter().map(|found| Backing::of(found, margin)).collect();
        mark_uncertain(&mut backing);
        Ok(Self { backing, write, read_at, valid_until: read_at.saturating_add(margin / 2) })
    }

    /// The backing indices, oldest first.
    pub fn backing(&self) -> &[Backing] {
        &self.backing
    }

    /// The one that the alias writes to.
    pub fn write(&self) -> &Backing {
        &self.backing[self.write]
    }

    /// The number of [`Table::write`].
    pub fn write_number(&self) -> usize {
        self.write
    }

    /// When the question was asked, in milliseconds since the Unix epoch.
    pub fn read_at(&self) -> i64 {
        self.read_at
    }

    /// The last placement time that this table may be used for: half a margin after it was asked for. A backing index that it does not
    /// know was made after that (see `barrier`), give or take what clocks differ by, and so takes no document for another half margin.
    pub fn valid_until(&self) -> i64 {
        self.valid_until
    }

    /// The number of the backing index `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.backing.iter().rposition(|backing| *backing.name == *name)
    }

    /// The number of the oldest backing index that may hold a document which is placed in the index of `number`.
    pub fn first_candidate(&self, number: usize) -> usize {
        let start = self.backing[number].start;
        self.backing.partition_point(|backing| backing.start < start)
    }
}

impl Backing {
    fn of(found: &Found, margin: i64) -> Self {
        Self {
            name: Arc::from(found.name.as_str()),
            generation: generation(&found.name),
            start: found.created.saturating_add(margin),
            created: found.created,
            // A block on the write index is an operator's to mend, and waited for.
            writable: found.writable || found.is_write,
        }
    }
}

/// Corrects the starts of indices whose own is not known, and of the first of all.
///
/// An index made of another one (`shrink-xxxx-NAME-000003`) has the name of its generation but a creation date of its own, which is
/// after that of the next generation. Which documents were its own and which its predecessor's is then not known any more: it takes
/// those of both, and only to look them up. Nothing was before generation 1, so that takes all that is older.
fn mark_uncertain(backing: &mut [Backing]) {
    let mut next = i64::MAX;
    for index in backing.iter_mut().rev() {
        if index.created > next {
            index.writable = false;
            index.start = i64::MIN;
        } else {
            next = index.created;
        }
    }
    if let Some(first) = backing.first_mut()
        && first.generation == 1
    {
        first.start = i64::MIN;
    }
    let mut previous = i64::MIN;
    for index in backing {
        index.start = index.start.max(previous);
        previous = index.start;
    }
}

/// The number at the end of a backing index's name: six digits, or more once they are used up, after a dash; 0 without one.
fn generation(name: &str) -> u64 {
    let digits = name.rsplit('-').next().unwrap_or_default();
    let is_number = digits.len() >= 6 && digits.len() < name.len() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().unwrap_or(0) } else { 0 }
}
