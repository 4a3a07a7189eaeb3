//! What blocks documents of a request, and whether they can go elsewhere. Pure.

use crate::bulk::outcome::Block;

/// What blocks documents, for one of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::bulk) enum Blockage {
    /// Nothing does.
    #[default]
    None,
    /// Something does, but only documents that are placed again.
    Passing(Block),
    /// Something does, and documents that cannot be placed elsewhere: an operator must fix it.
    Lasting(Block),
}

impl Blockage {
    /// Notes that `block` blocks a document, which may be placed elsewhere if `is_passing`.
    pub(in crate::bulk) fn note(&mut self, block: Block, is_passing: bool) {
        *self = match self {
            Self::None | Self::Passing(_) if is_passing => Self::Passing(block),
            Self::None | Self::Passing(_) | Self::Lasting(_) => Self::Lasting(block),
        };
    }

    /// Notes that documents could not be placed elsewhere.
    pub(in crate::bulk) fn stay(&mut self) {
        *self = match std::mem::take(self) {
            Self::Passing(block) => Self::Lasting(block),
            other @ (Self::None | Self::Lasting(_)) => other,
        };
    }

    /// Returns what blocks documents that cannot be placed elsewhere.
    pub(in crate::bulk) fn lasting(&self) -> Option<&Block> {
        match self {
            Self::Lasting(block) => Some(block),
            Self::None | Self::Passing(_) => None,
        }
    }

    /// Names `index` as what is blocked, where it says nothing of it.
    pub(in crate::bulk) fn name(&mut self, index: &str) {
        if let Self::Passing(block) | Self::Lasting(block) = self {
            block.index.get_or_insert_with(|| index.to_owned());
        }
    }
}

#[cfg(test)]
mod tests;
