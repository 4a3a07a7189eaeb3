//! Says how a request ended as a whole, if that shows more than the outcomes of its documents. Pure.

use std::sync::Arc;

/// How a request ended as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::bulk) enum Ending {
    /// Without anything special.
    #[default]
    Plain,
    /// The body was too large.
    TooLarge,
    /// A document and its witness were refused as a whole: send each in a request of its own.
    Parted {
        /// Whether both together were too large.
        is_too_large: bool,
    },
    /// The request failed, and a document for this index may be the cause.
    Failed(Arc<str>),
}

impl Ending {
    /// Returns whether the body was too large.
    pub(in crate::bulk) fn is_too_large(&self) -> bool {
        matches!(self, Self::TooLarge | Self::Parted { is_too_large: true })
    }
}
