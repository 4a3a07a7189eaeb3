//! Describes what failed for now, and why. Pure.

use super::class::{Class, Kind};
use crate::elasticsearch::SendError;

/// The longest description of a failure, in bytes. Elasticsearch's own text may have many lines.
pub(super) const MAX_DETAIL: usize = 256;

/// A failure for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkFailure {
    /// The kind of failure.
    pub trouble: Trouble,
    /// More details, for people.
    pub detail: String,
}

/// Why something failed for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Elasticsearch is overloaded (429).
    Overload,
    /// Elasticsearch, or a proxy before it, failed (5xx).
    Server,
    /// There was no answer in time.
    TimedOut,
    /// No connection could be made, or it broke.
    Connection,
    /// The answer could not be parsed, or did not cover every item.
    Unreadable,
}

impl From<SendError> for BulkFailure {
    fn from(error: SendError) -> Self {
        let trouble = match &error {
            SendError::TimedOut { .. } => Trouble::TimedOut,
            SendError::Connection { .. } => Trouble::Connection,
        };
        Self { trouble, detail: error.to_string() }
    }
}

impl Trouble {
    /// Returns the transient trouble behind an answer of `status` to any request; `None` if the trouble is not
    /// certainly transient.
    pub(super) fn of_status(status: u16, kind: Kind) -> Option<Self> {
        match Class::of(status) {
            Class::Server if matches!(status, 502..=504) || kind == Kind::Failing => Some(Self::Server),
            Class::TimedOut => Some(Self::TimedOut),
            Class::TooMany if !kind.is_block(status) => Some(Self::Overload),
            Class::NotFound if kind == Kind::ShardNotThere => Some(Self::Server),
            _ => None,
        }
    }

    /// Returns a short fixed word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Overload => "overload",
            Self::Server => "server_error",
            Self::TimedOut => "timed_out",
            Self::Connection => "connection",
            Self::Unreadable => "unreadable",
        }
    }
}
