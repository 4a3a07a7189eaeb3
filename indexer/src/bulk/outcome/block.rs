//! Describes what blocks documents until an operator fixes it. Pure.

use std::fmt;

use super::class::{Class, Kind};
use super::refusal::Refusal;
use crate::elasticsearch::errors::ErrorBody;

/// Something that an operator must fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The kind of block.
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

/// The kind of block.
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
    /// Another cause for which the documents are not at fault, such as an address that is not Elasticsearch's.
    Other,
}

impl BlockKind {
    /// Every kind, for metrics.
    pub const ALL: [Self; 5] = [Self::Index, Self::Closed, Self::Security, Self::Refused, Self::Other];

    /// Returns a short fixed word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index_block",
            Self::Closed => "closed_index",
            Self::Security => "security",
            Self::Refused => "refused",
            Self::Other => "other",
        }
    }

    /// Returns what the operator should do.
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

impl Block {
    /// Describes `error`, answered with `status`.
    pub(super) fn of_error(status: u16, error: ErrorBody) -> Self {
        let kind = match Kind::of(Some(&error)) {
            Kind::ClusterBlock => BlockKind::Index,
            Kind::IndexClosed => BlockKind::Closed,
            _ if Class::of(status) == Class::Denied => BlockKind::Security,
            _ => BlockKind::Other,
        };
        let (reason, error_type) = (error.text(), error.type_or_none().to_owned());
        Self { kind, index: error.index, status, error_type, reason }
    }

    /// Returns the refusal of a document that waits alone because of this block.
    pub(in crate::bulk) fn refusal(self) -> Refusal {
        let Self { status, error_type, reason, .. } = self;
        Refusal { status, error_type, reason }
    }

    /// Describes that the index refuses all documents, as in `refusal`.
    pub fn of_index(index: &str, refusal: &Refusal) -> Self {
        // 403 with another type is not about privileges. For example, a follower index accepts no documents.
        let is_security = matches!(refusal.error_type.as_str(), "security_exception" | "none");
        let is_denied = Class::of(refusal.status) == Class::Denied && is_security;
        let kind = if is_denied { BlockKind::Security } else { BlockKind::Refused };
        let Refusal { status, error_type, reason, .. } = refusal.clone();
        Self { kind, index: Some(index.to_owned()), status, error_type, reason }
    }
}
