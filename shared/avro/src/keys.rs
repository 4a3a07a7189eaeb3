//! The keys of one map, to detect duplicates. Allocates nothing while the map is small.

use std::collections::HashSet;

/// How many keys are compared one by one before a set is used.
const MAX_INLINE_KEYS: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Keys<'a> {
    few: [&'a [u8]; MAX_INLINE_KEYS],
    count: usize,
    /// All keys, once there are more than a few.
    many: Option<HashSet<&'a [u8]>>,
}

impl<'a> Keys<'a> {
    /// Returns whether there is no key yet.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a key; returns false if it is already present.
    #[inline]
    pub(super) fn insert(&mut self, key: &'a [u8]) -> bool {
        if let Some(many) = &mut self.many {
            return many.insert(key);
        }
        // Most keys differ in their length or their last byte, which needs no call to compare them.
        let is_same = |known: &&[u8]| known.len() == key.len() && known.last() == key.last() && **known == *key;
        if self.few.iter().take(self.count).any(is_same) {
            return false;
        }
        match self.few.get_mut(self.count) {
            Some(slot) => *slot = key,
            None => self.many = Some(self.few.into_iter().chain([key]).collect()),
        }
        self.count += 1;
        true
    }
}
