//! The index that a document goes to, as placement tells all later stages.

use std::sync::Arc;

/// The number of one of a topic's index sets: 0 is that of `elasticsearch.index_name`, the others are those of
/// `elasticsearch.routes` in the order of their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route(pub u16);

/// An index that documents are sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub index: Arc<str>,
    /// The index set that it belongs to.
    pub route: Route,
    /// Whether the documents must first be looked up, as the index does not accept them: see
    /// [`Backing::writable`](crate::placement::Backing::writable).
    pub look_up: bool,
    /// How old the index is.
    pub age: Age,
}

/// How old the index of a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// It is the newest index, or the only one.
    Current,
    /// It is the index before the newest.
    Previous,
    /// It is an older index than the previous one.
    Older,
    /// The document's own index is deleted, and this is the oldest one left.
    Expired,
}

impl Age {
    /// Every age, for metrics.
    pub const ALL: [Self; 4] = [Self::Current, Self::Previous, Self::Older, Self::Expired];

    /// Returns a short fixed word for metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Previous => "previous",
            Self::Older => "older",
            Self::Expired => "expired",
        }
    }

    /// Returns the age of backing index `number` of `count`.
    pub(crate) fn of(number: usize, count: usize) -> Self {
        match count - number {
            0 | 1 => Self::Current,
            2 => Self::Previous,
            _ => Self::Older,
        }
    }
}

/// Why a record has no index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlacement {
    /// The table has to be read again first.
    NotYet,
    /// Its index is deleted, and by the config the record is skipped.
    Skip,
    /// Its index is deleted, and by the config the record becomes a dead letter.
    DeadLetter,
    /// Its time is so far in the future that the record does not wait for it.
    Future,
}
