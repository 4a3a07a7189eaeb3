//! What is asked about documents whose id is taken, and what comes of it.

use std::sync::Arc;

/// A document whose id is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bulk) struct Suspect {
    /// The item's index in the batch.
    pub(in crate::bulk) item: usize,
    /// The index that holds a document of its id.
    pub(in crate::bulk) index: Arc<str>,
}

/// What is stored under the id of a suspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bulk) enum Verdict {
    /// The same event.
    Same(Proof),
    /// Another event. With the stored document's `_ingested_at`, where it has one.
    Other(Option<String>),
    /// Nothing any more.
    Gone,
}

/// What proves that a document is the same event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bulk) enum Proof {
    /// The record's timestamp.
    Record,
    /// The fields.
    Content,
    /// Nothing: the index does not keep what could.
    None,
}

impl Proof {
    /// Returns the label for `penstock_indexer_duplicates_total`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Content => "content",
            Self::None => "none",
        }
    }
}
