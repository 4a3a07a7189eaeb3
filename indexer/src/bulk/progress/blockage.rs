//! Notes what blocks documents of a request, and whether they can go elsewhere. Pure.

use crate::bulk::outcome::Block;

/// The block that one of the documents met.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::bulk) enum Blockage {
    /// No document is blocked.
    #[default]
    None,
    /// Only documents are blocked that can be placed again.
    Passing(Block),
    /// Documents are blocked that cannot be placed elsewhere: an operator must fix it.
    Lasting(Block),
}

impl Blockage {
    /// Notes that `block` blocks a document. With `is_passing`, the document can be placed elsewhere.
    pub(in crate::bulk) fn note(&mut self, block: Block, is_passing: bool) {
        *self = match self {
            Self::None | Self::Passing(_) if is_passing => Self::Passing(block),
            Self::None | Self::Passing(_) | Self::Lasting(_) => Self::Lasting(block),
        };
    }

    /// Notes that the blocked documents could not be placed elsewhere.
    pub(in crate::bulk) fn stay(&mut self) {
        *self = match std::mem::take(self) {
            Self::Passing(block) => Self::Lasting(block),
            other @ (Self::None | Self::Lasting(_)) => other,
        };
    }

    /// Notes that the blocked documents are set aside, so that the others go on.
    pub(in crate::bulk) fn end(&mut self) {
        *self = Self::None;
    }

    /// Returns the block of documents that cannot be placed elsewhere.
    pub(in crate::bulk) fn lasting(&self) -> Option<&Block> {
        match self {
            Self::Lasting(block) => Some(block),
            Self::None | Self::Passing(_) => None,
        }
    }

    /// Sets `index` as the blocked index, if the block names none.
    pub(in crate::bulk) fn name(&mut self, index: &str) {
        if let Self::Passing(block) | Self::Lasting(block) = self {
            block.index.get_or_insert_with(|| index.to_owned());
        }
    }
}

#[cfg(test)]
mod tests;
