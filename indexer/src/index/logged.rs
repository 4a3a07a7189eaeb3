//! Remembers which texts were logged.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// How many texts are remembered.
const MAX_LOGGED: usize = 1_000;

/// The texts that were logged, so that each is logged once.
#[derive(Debug, Default)]
pub(crate) struct Logged(Mutex<HashSet<String>>);

impl Logged {
    /// Returns whether `text` has not been logged before.
    pub(crate) fn is_new(&self, text: String) -> bool {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() >= MAX_LOGGED {
            *logged = HashSet::new();
        }
        logged.insert(text)
    }
}
