//! What became of the documents of a request, by number. Pure.

/// Documents, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::bulk) struct Counts {
    /// Those that were written.
    pub(in crate::bulk) indexed: usize,
    /// Those that were there already.
    pub(in crate::bulk) duplicates: usize,
    /// Those that Elasticsearch will never take.
    pub(in crate::bulk) refused: usize,
    /// Of those refused, the ones that went into the failure store.
    pub(in crate::bulk) in_failure_store: usize,
    /// Those that are not indexed, as the config wants it.
    pub(in crate::bulk) skipped: usize,
    /// Those that an ingest pipeline dropped.
    pub(in crate::bulk) dropped: usize,
    /// Those that are there, but looked up before that counts.
    pub(in crate::bulk) doubtful: usize,
    /// Those that have to be sent again because they failed, as opposed to those whose chunk was cut in two.
    pub(in crate::bulk) failed: usize,
    /// Those that are set aside: it is not known what is at fault.
    pub(in crate::bulk) set_aside: usize,
}

impl Counts {
    /// Returns how many are settled.
    pub(in crate::bulk) fn settled(&self) -> usize {
        self.indexed + self.duplicates + self.refused + self.skipped + self.dropped
    }

    /// Returns whether any is settled, or there and only to be looked up.
    pub(in crate::bulk) fn is_there(&self) -> bool {
        self.settled() + self.doubtful > 0
    }
}
