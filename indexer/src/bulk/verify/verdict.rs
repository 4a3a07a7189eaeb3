//! Describes documents whose id is taken, and the verdicts on them.

use std::sync::Arc;

/// A document whose id is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bulk) struct Suspect {
    /// The item's index in the batch.
    pub(in crate::bulk) item: usize,
    /// The index that holds a document with its id.
    pub(in crate::bulk) index: Arc<str>,
}

/// The verdict on what is stored under a suspect's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bulk) enum Verdict {
    /// The same event.
    Same(Proof),
    /// Another event, with the stored document's `_ingested_at` if it has one.
    Other(Option<String>),
    /// Nothing is stored any more.
    Gone,
}

/// What proves that a document is the same event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bulk) enum Proof {
    /// The record's timestamp.
    Record,
    /// The fields.
    Content,
    /// Nothing, because the index does not keep what could prove it.
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
