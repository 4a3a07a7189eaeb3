//! One file for both binaries: which sections are read by which.

/// Which sections somebody reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All sections.
    All,
    /// What the receiver reads.
    Receiver,
    /// What the indexer reads.
    Indexer,
}

impl Part {
    /// Returns whether the top-level key `section` is read. A section that nobody knows is read by all, to be refused.
    pub(crate) fn reads(self, section: &str) -> bool {
        match section {
            "receiver" | "cxone" => self.receiver(),
            "indexer" | "elasticsearch" | "ilm_config_path" => self.indexer(),
            _ => true,
        }
    }

    /// Returns whether what the receiver reads is read.
    pub(crate) fn receiver(self) -> bool {
        self != Self::Indexer
    }

    /// Returns whether what the indexer reads is read.
    pub(crate) fn indexer(self) -> bool {
        self != Self::Receiver
    }
}
