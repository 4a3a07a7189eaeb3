//! Labels whose values somebody else chooses, such as a sender or a server.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The value that all values beyond the first ones share.
pub const OTHER: &str = "(other)";
/// Bytes of a value that has a series of its own.
const MAX_BYTES: usize = 100;

/// The values of one label that have a series of their own. Clones share them.
#[derive(Clone, Debug)]
pub struct BoundedLabel {
    max: usize,
    values: Arc<Mutex<HashSet<String>>>,
}

impl BoundedLabel {
    /// Returns a label of at most `max` values and [`OTHER`]. The `known` ones are among them.
    pub fn new<'k>(max: usize, known: impl IntoIterator<Item = &'k str>) -> Self {
        let values = known.into_iter().map(str::to_owned).collect();
        Self { max, values: Arc::new(Mutex::new(values)) }
    }

    /// Returns `value` if it has a series of its own, or may have one from now on; otherwise [`OTHER`].
    pub fn value<'v>(&self, value: &'v str) -> &'v str {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        if values.contains(value) {
            return value;
        }
        if values.len() >= self.max || value.len() > MAX_BYTES {
            return OTHER;
        }
        values.insert(value.to_owned());
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_values_stay_and_all_others_are_one() {
        let label = BoundedLabel::new(2, ["known"]);
        assert_eq!(label.value(&"x".repeat(MAX_BYTES + 1)), OTHER);
        assert_eq!(label.value("first"), "first");
        assert_eq!(label.clone().value("second"), OTHER);
        assert_eq!((label.value("known"), label.value("first")), ("known", "first"));
    }
}
