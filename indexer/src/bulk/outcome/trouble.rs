//! What goes wrong with documents: a failure for now, a refusal for good, a block that an operator must lift. Pure.

use std::fmt;

use super::class::Class;
use crate::elasticsearch::SendError;

/// The longest description of a failure, in bytes. Elasticsearch's own may run over many lines.
pub(super) const MAX_DETAIL: usize = 256;

/// What failed for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkFailure {
    /// Which kind of failure.
    pub trouble: Trouble,
    /// What is known beyond that, for people.
    pub detail: String,
}

/// Why something failed for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Elasticsearch has too much to do (429).
    Overload,
    /// Elasticsearch, or something before it, failed (5xx).
    Server,
    /// No answer in time.
    TimedOut,
    /// No connection, or it broke.
    Connection,
    /// The answer could not be understood, or did not speak of every item.
    Unreadable,
}

/// Why a document is never taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status; 0 where the whole request failed, so that there is no answer for the document.
    pub status: u16,
    /// Elasticsearch's `error.type`, or a word of ours where there is none.
    pub error_type: String,
    /// Elasticsearch's `error.reason` and that of its cause, capped. It may quote the document.
    pub reason: String,
    /// Whether the document went into the data stream's failure store.
    pub in_failure_store: bool,
}

/// What an operator must fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Which kind of thing.
    pub kind: BlockKind,
    /// The index, if the answer names it.
    pub index: Option<String>,
    /// The status.
    pub status: u16,
    /// Elasticsearch's `error.type`.
    pub error_type: String,
    /// Elasticsearch's `error.reason`, capped.
    pub reason: String,
}

/// Which kind of thing an operator must fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// A block on the index or the cluster: read-only, or the disk's flood stage.
    Index,
    /// A closed index.
    Closed,
    /// Credentials that are missing, wrong or expired, or that do not allow it.
    Security,
    /// The index refuses all documents in one way.
    Refused,
    /// Something else that is no fault of the documents, such as an address that is not Elasticsearch's.
    Other,
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

impl From<Refusal> for BulkFailure {
    fn from(refusal: Refusal) -> Self {
        let Refusal { status, error_type, reason, .. } = refusal;
        let mut detail = format!("status {status} {error_type}: {reason}");
        detail.truncate(detail.floor_char_boundary(MAX_DETAIL));
        Self { trouble: Trouble::Server, detail }
    }
}

impl Trouble {
    /// A short fixed word for logs and metrics.
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

impl BlockKind {
    /// Every kind, for metrics.
    pub const ALL: [Self; 5] = [Self::Index, Self::Closed, Self::Security, Self::Refused, Self::Other];

    /// A short fixed word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index_block",
            Self::Closed => "closed_index",
            Self::Security => "security",
            Self::Refused => "refused",
            Self::Other => "other",
        }
    }

    /// Returns what to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Index => "free disk space if it ran out, and remove the block (set index.blocks.* to null)",
            Self::Closed => "open the index",
            Self::Security => {
                "check elasticsearch.auth and the privileges of the user or key on the index: it needs create_doc \
                 or index"
            }
            Self::Refused => {
                "every document is refused in this way: fix what the reason names, such as a pipeline, an alias \
                 without a write index, a template or a limit"
            }
            Self::Other => "check that elasticsearch.url is Elasticsearch's address, and check Elasticsearch's log",
        }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = self.index.as_deref().unwrap_or_default();
        let Self { kind, status, error_type, reason, .. } = self;
        write!(f, "{} {index:?}: {status} {error_type}: {reason}; {}", kind.as_str(), kind.advice())
    }
}

impl Refusal {
    /// Returns that a document of `bytes` is too large for a request of its own.
    pub fn too_large(bytes: usize) -> Self {
        Self {
            status: 413,
            error_type: "content_too_large".to_owned(),
            reason: format!(
                "{bytes} bytes alone are more than a request may have (http.max_content_length, or a proxy's limit)"
            ),
            in_failure_store: false,
        }
    }
}

impl Block {
    /// That the index refuses all documents as `refusal` says.
    pub fn of_index(index: &str, refusal: &Refusal) -> Self {
        let kind = if Class::of(refusal.status) == Class::Denied { BlockKind::Security } else { BlockKind::Refused };
        let Refusal { status, error_type, reason, .. } = refusal.clone();
        Self { kind, index: Some(index.to_owned()), status, error_type, reason }
    }
}
