//! Labels whose values are chosen outside this service, for example by a sender or a server.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The value that stands for all values beyond the limit.
pub const OTHER: &str = "(other)";
/// The most bytes of a value with its own series.
const MAX_BYTES: usize = 100;

/// Holds the values of one label that have their own series. Clones share them.
#[derive(Clone, Debug)]
pub struct BoundedLabel {
    max: usize,
    values: Arc<Mutex<HashSet<String>>>,
}

impl BoundedLabel {
    /// Returns a label with at most `max` values, including the `known` ones, plus [`OTHER`].
    pub fn new<'k>(max: usize, known: impl IntoIterator<Item = &'k str>) -> Self {
        let values = known.into_iter().map(str::to_owned).collect();
        Self { max, values: Arc::new(Mutex::new(values)) }
    }

    /// Returns `value` if it has its own series or may get one now, otherwise [`OTHER`].
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
    fn values_beyond_the_limit_share_one_series() {
        let label = BoundedLabel::new(2, ["known"]);
        assert_eq!(label.value(&"x".repeat(MAX_BYTES + 1)), OTHER);
        assert_eq!(label.value("first"), "first");
        assert_eq!(label.clone().value("second"), OTHER);
        assert_eq!((label.value("known"), label.value("first")), ("known", "first"));
    }
}
