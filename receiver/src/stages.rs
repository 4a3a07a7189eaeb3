//! The stages of a request, in order: `authenticate → decompress → unframe → validate → produce`. A stage does not know
//! the later ones; [`receive`](crate::receive) calls them in turn.

pub(crate) mod authenticate;
pub(crate) mod decompress;
pub(crate) mod produce;
pub(crate) mod unframe;
pub(crate) mod validate;
