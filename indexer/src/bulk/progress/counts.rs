//! Counts the outcomes of a request's documents. Pure.

/// The numbers of documents by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::bulk) struct Counts {
    /// Documents that were written.
    pub(in crate::bulk) indexed: usize,
    /// Documents that already existed.
    pub(in crate::bulk) duplicates: usize,
    /// Documents that Elasticsearch will never accept.
    pub(in crate::bulk) refused: usize,
    /// Documents that went into the failure store, refused or set aside.
    pub(in crate::bulk) in_failure_store: usize,
    /// Documents that are not indexed because the config says so.
    pub(in crate::bulk) skipped: usize,
    /// Those that an ingest pipeline dropped.
    pub(in crate::bulk) dropped: usize,
    /// Documents that exist, but must be looked up before they count.
    pub(in crate::bulk) doubtful: usize,
    /// Documents to send again because they failed. Documents whose chunk was halved do not count.
    pub(in crate::bulk) failed: usize,
    /// Documents that are set aside because the cause is unknown.
    pub(in crate::bulk) set_aside: usize,
}

impl Counts {
    /// Returns the number of settled documents.
    pub(in crate::bulk) fn settled(&self) -> usize {
        self.indexed + self.duplicates + self.refused + self.skipped + self.dropped
    }

    /// Returns whether any document is settled, or only waits for its look-up.
    pub(in crate::bulk) fn is_there(&self) -> bool {
        self.settled() + self.doubtful > 0
    }
}
