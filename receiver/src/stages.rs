//! The stages of a request, in the order in which it passes them:
//! `authenticate → decompress → unframe → validate → produce`. None knows a later one; [`receive`](crate::receive)
//! calls them one after the other.

pub(crate) mod authenticate;
pub(crate) mod decompress;
pub(crate) mod produce;
pub(crate) mod unframe;
pub(crate) mod validate;
