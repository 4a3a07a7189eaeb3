//! Notes when the backing indices of a data stream were first seen.
//!
//! An index has its creation date before the server sends documents to it. On a busy cluster this may take seconds,
//! during which documents go to its predecessor.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::backing::now_millis;
use crate::placement::{FoundIndex, Table, TableError};

/// When each backing index was first seen, in milliseconds since the Unix epoch, by name. Holds the indices of the
/// last list.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<HashMap<String, i64>>);

impl Seen {
    /// Returns the table of the data stream whose newest list is `found`.
    ///
    /// # Errors
    /// [`TableError`].
    pub(super) fn table_of(&self, found: Vec<FoundIndex>, read_at: i64, margin: Duration) -> Result<Table, TableError> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        note(&mut seen, &found, now_millis());
        Table::of_stream(found, &seen, read_at, margin)
    }
}

/// Notes that the indices `found` were seen at `now`, and forgets all others.
fn note(seen: &mut HashMap<String, i64>, found: &[FoundIndex], now: i64) {
    let mut before = std::mem::take(seen);
    for index in found {
        let (name, at) = before.remove_entry(&index.name).unwrap_or_else(|| (index.name.clone(), now));
        seen.insert(name, at);
    }
}

#[cfg(test)]
mod tests;
