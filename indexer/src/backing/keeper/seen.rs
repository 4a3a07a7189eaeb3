//! When the backing indices of a data stream were seen first.
//!
//! An index has its creation date before the server sends documents to it. On a busy cluster seconds may be between
//! the two, and until then documents go to the index before it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::backing::now_millis;
use crate::placement::{Found, Table, TableError};

/// When each backing index was seen first, in milliseconds since the Unix epoch, by its name. Holds the indices of the
/// last list.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<HashMap<String, i64>>);

impl Seen {
    /// Returns the table of the data stream of which `found` is the list that has just come.
    ///
    /// # Errors
    /// [`TableError`].
    pub(super) fn table_of(&self, found: Vec<Found>, read_at: i64, margin: Duration) -> Result<Table, TableError> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        note(&mut seen, &found, now_millis());
        Table::of_stream(found, &seen, read_at, margin)
    }
}

/// Notes that the indices `found` were seen `now`, and forgets all others.
fn note(seen: &mut HashMap<String, i64>, found: &[Found], now: i64) {
    let mut before = std::mem::take(seen);
    for index in found {
        let (name, at) = before.remove_entry(&index.name).unwrap_or_else(|| (index.name.clone(), now));
        seen.insert(name, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_keeps_its_first_time_while_it_is_there() {
        let found = |name: &str| Found {
            name: name.to_owned(),
            created: 0,
            writable: true,
            is_write: false,
            is_resized: false,
        };
        let mut seen = HashMap::new();
        note(&mut seen, &[found("a")], 1);
        note(&mut seen, &[found("a"), found("b")], 2);
        assert_eq!((seen["a"], seen["b"]), (1, 2));
        note(&mut seen, &[found("b")], 3);
        note(&mut seen, &[found("a"), found("b")], 4);
        assert_eq!((seen["a"], seen["b"]), (4, 2));
    }
}
