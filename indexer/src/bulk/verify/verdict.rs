//! Describes documents whose id is taken, and the verdicts on them.

use std::fmt;
use std::sync::Arc;

use crate::bulk::outcome::{Block, BulkFailure};

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

/// Why a verdict could not be reached. The documents will be looked at again.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::bulk) enum Obstacle {
    /// The attempt failed for now.
    Failed(BulkFailure),
    /// An operator must fix something first.
    Block(Block),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => write!(f, "{}: {}", failure.trouble.as_str(), failure.detail),
            Self::Block(block) => block.fmt(f),
        }
    }
}

impl From<BulkFailure> for Obstacle {
    fn from(failure: BulkFailure) -> Self {
        Self::Failed(failure)
    }
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
