//! Which index a document goes to, as placement says it to all stages after.

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
    /// Whether the documents have to be looked up rather than written: see
    /// [`Backing::writable`](crate::placement::Backing::writable).
    pub look_up: bool,
    /// How old it is.
    pub age: Age,
}

/// How old the index is that a document lands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// It is the newest one, or the only one there is.
    Current,
    /// The one before.
    Previous,
    /// One before that.
    Older,
    /// Its own is deleted, and this is the oldest one left.
    Expired,
}

impl Age {
    /// Every age, for metrics.
    pub const ALL: [Self; 4] = [Self::Current, Self::Previous, Self::Older, Self::Expired];

    /// A short fixed word for metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Previous => "previous",
            Self::Older => "older",
            Self::Expired => "expired",
        }
    }

    /// Returns that of backing index `number` of `count`.
    pub(crate) fn of(number: usize, count: usize) -> Self {
        match count - number {
            0 | 1 => Self::Current,
            2 => Self::Previous,
            _ => Self::Older,
        }
    }
}

/// Why there is no index for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlacement {
    /// The table has to be read again first.
    NotYet,
    /// Its index is deleted, and the config says that it is not indexed.
    Skip,
    /// Its index is deleted, and the config says that it is a dead letter.
    DeadLetter,
    /// It is so far in the future that it is not waited for.
    Future,
}
