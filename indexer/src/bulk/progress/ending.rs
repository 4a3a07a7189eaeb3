//! How a request ended as a whole, where that says more than what became of its documents. Pure.

use std::sync::Arc;

/// How a request ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::bulk) enum Ending {
    /// In a way that says nothing more.
    #[default]
    Plain,
    /// Its body was too large.
    TooLarge,
    /// A document and its witness were refused as a whole: each is sent in a request of its own.
    Parted {
        /// Whether that is because both together are too large.
        is_too_large: bool,
    },
    /// It failed, in a way that may be the fault of a document of this index.
    Failed(Arc<str>),
}

impl Ending {
    /// Returns whether the body was too large.
    pub(in crate::bulk) fn is_too_large(&self) -> bool {
        matches!(self, Self::TooLarge | Self::Parted { is_too_large: true })
    }
}
