//! The keys of one map, to find out when one comes twice. Without an allocation while the map is small.

use std::collections::HashSet;

/// How many keys are compared one by one before they go into a set.
const FEW: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Keys<'a> {
    few: [&'a [u8]; FEW],
    count: usize,
    many: HashSet<&'a [u8]>,
}

impl<'a> Keys<'a> {
    /// Adds a key; false when it is there already.
    #[inline]
    pub(super) fn insert(&mut self, key: &'a [u8]) -> bool {
        let Some(few) = self.few.get(..self.count) else {
            return self.many.insert(key);
        };
        if few.contains(&key) {
            return false;
        }
        match self.few.get_mut(self.count) {
            Some(slot) => *slot = key,
            None => {
                self.many = self.few.into_iter().collect();
                self.many.insert(key);
            }
        }
        self.count += 1;
        true
    }
}
